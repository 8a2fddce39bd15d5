-- +goose Up
CREATE INDEX notes_title_idx ON public.notes (title); -- want index-not-concurrent

-- +goose Down
DROP INDEX CONCURRENTLY public.notes_title_idx; -- want concurrent-in-transaction
