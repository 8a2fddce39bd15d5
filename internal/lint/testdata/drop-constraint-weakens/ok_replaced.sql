-- +goose Up
ALTER TABLE public.notes DROP CONSTRAINT notes_size_check;
ALTER TABLE public.notes ADD CONSTRAINT notes_size_check CHECK (size >= 0) NOT VALID;

-- +goose Down
ALTER TABLE public.notes DROP CONSTRAINT notes_size_check;
