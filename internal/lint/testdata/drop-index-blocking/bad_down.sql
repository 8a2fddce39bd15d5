-- +goose NO TRANSACTION
-- +goose Up
CREATE INDEX CONCURRENTLY notes_title_idx ON public.notes (title);

-- +goose Down
DROP INDEX public.notes_title_idx; -- want drop-index-blocking
