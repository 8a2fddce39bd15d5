-- +goose Up
CREATE TABLE IF NOT EXISTS public.notes (id bigint);
CREATE INDEX notes_title_idx ON public.notes (title); -- want index-not-concurrent

-- +goose Down
DROP INDEX public.notes_title_idx; -- want drop-index-blocking
DROP TABLE public.notes;
