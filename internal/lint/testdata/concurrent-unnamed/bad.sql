-- +goose NO TRANSACTION
-- +goose Up
CREATE INDEX CONCURRENTLY ON public.notes (title); -- want concurrent-unnamed

-- +goose Down
DROP INDEX CONCURRENTLY public.notes_title_idx;
