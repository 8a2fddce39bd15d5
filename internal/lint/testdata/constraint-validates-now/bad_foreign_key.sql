-- +goose Up
ALTER TABLE public.notes
    ADD CONSTRAINT notes_author_fkey FOREIGN KEY (author) REFERENCES public.users (id); -- want constraint-validates-now

-- +goose Down
ALTER TABLE public.notes DROP CONSTRAINT notes_author_fkey;
