-- +goose NO TRANSACTION
-- +goose Up
CREATE INDEX CONCURRENTLY notes_title_idx ON public.notes (title); -- want down-not-inverse

-- +goose Down
DROP INDEX CONCURRENTLY public.notes_author_idx;
