-- +goose NO TRANSACTION
-- +goose Up
CREATE INDEX CONCURRENTLY IF NOT EXISTS notes_title_idx ON public.notes (title); -- want concurrent-if-not-exists

-- +goose Down
DROP INDEX CONCURRENTLY public.notes_title_idx;
