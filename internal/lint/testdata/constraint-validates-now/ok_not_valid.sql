-- +goose Up
ALTER TABLE public.notes ADD CONSTRAINT notes_title_check CHECK (title <> '') NOT VALID;

-- +goose Down
ALTER TABLE public.notes DROP CONSTRAINT notes_title_check;
