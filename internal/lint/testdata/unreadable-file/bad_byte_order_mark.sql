-- +goose Up
CREATE INDEX x ON public.notes (title);
-- want-on 1 unreadable-file
-- +goose Down
DROP INDEX public.x;
