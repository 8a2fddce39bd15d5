-- +goose Up
ALTER TABLE public.notes
    ADD CONSTRAINT notes_size_fkey FOREIGN KEY (size) REFERENCES public.users (id) NOT VALID; -- want foreign-key-without-index

-- +goose Down
ALTER TABLE public.notes DROP CONSTRAINT notes_size_fkey;
