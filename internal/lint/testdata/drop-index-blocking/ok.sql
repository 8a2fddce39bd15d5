-- +goose NO TRANSACTION
-- +goose Up
DROP INDEX CONCURRENTLY public.notes_author_idx;

-- +goose Down
CREATE INDEX CONCURRENTLY notes_author_idx ON public.notes (author, created_at);
