-- +goose Up
ALTER TABLE public.notes ADD CONSTRAINT notes_reviewer_fkey FOREIGN KEY (reviewer) REFERENCES public.users (id) NOT VALID; -- want foreign-key-without-index

-- +goose Down
ALTER TABLE public.notes DROP CONSTRAINT notes_reviewer_fkey;
