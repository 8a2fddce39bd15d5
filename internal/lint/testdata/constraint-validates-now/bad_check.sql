-- +goose Up
ALTER TABLE public.notes ADD CONSTRAINT notes_title_check CHECK (title <> ''); -- want constraint-validates-now

-- +goose Down
ALTER TABLE public.notes DROP CONSTRAINT notes_title_check;
