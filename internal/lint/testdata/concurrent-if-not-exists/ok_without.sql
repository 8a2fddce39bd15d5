-- +goose NO TRANSACTION
-- +goose Up
CREATE INDEX CONCURRENTLY notes_title_idx ON public.notes (title);

-- +goose Down
DROP INDEX CONCURRENTLY IF EXISTS public.notes_title_idx;
