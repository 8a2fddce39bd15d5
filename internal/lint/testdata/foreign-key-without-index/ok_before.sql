-- +goose Up
ALTER TABLE public.notes ADD CONSTRAINT notes_author_fkey FOREIGN KEY (author) REFERENCES public.users (id) NOT VALID;

-- +goose Down
ALTER TABLE public.notes DROP CONSTRAINT notes_author_fkey;
