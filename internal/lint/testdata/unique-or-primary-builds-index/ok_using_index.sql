-- +goose Up
ALTER TABLE public.notes ADD CONSTRAINT notes_title_key UNIQUE USING INDEX notes_title_key;

-- +goose Down
ALTER TABLE public.notes DROP CONSTRAINT notes_title_key;
