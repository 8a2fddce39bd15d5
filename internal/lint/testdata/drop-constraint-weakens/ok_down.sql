-- +goose Up
ALTER TABLE public.notes ADD CONSTRAINT notes_a_check CHECK (size < 100) NOT VALID;

-- +goose Down
ALTER TABLE public.notes DROP CONSTRAINT notes_a_check;
