-- +goose Up
CREATE INDEX CONCURRENTLY notes_title_idx ON public.notes (title); -- want concurrent-in-transaction

-- +goose Down
DROP INDEX CONCURRENTLY public.notes_title_idx; -- want concurrent-in-transaction
