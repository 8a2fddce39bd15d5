-- +goose NO TRANSACTION
-- +goose Up
CREATE UNIQUE INDEX CONCURRENTLY notes_title_idx ON public.notes (title);

-- +goose Down
DROP INDEX CONCURRENTLY public.notes_title_idx;
