-- +goose Up
CREATE INDEX IF NOT EXISTS notes_author_idx ON public.notes (title); -- want index-not-concurrent
ALTER TABLE public.notes ADD CONSTRAINT notes_author_fkey FOREIGN KEY (author) REFERENCES public.users (id) NOT VALID;

-- +goose Down
ALTER TABLE public.notes DROP CONSTRAINT notes_author_fkey;
DROP INDEX public.notes_author_idx; -- want drop-index-blocking
