-- +goose Up
VACUUM public.notes; -- want concurrent-in-transaction
REINDEX INDEX CONCURRENTLY public.notes_author_idx; -- want concurrent-in-transaction

-- +goose Down
SELECT;
