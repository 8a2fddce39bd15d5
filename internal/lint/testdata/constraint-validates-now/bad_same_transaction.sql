-- +goose Up
ALTER TABLE public.notes ADD CONSTRAINT notes_title_check CHECK (title <> '') NOT VALID;
ALTER TABLE public.notes VALIDATE CONSTRAINT notes_title_check; -- want constraint-validates-now, work-while-locked

-- +goose Down
ALTER TABLE public.notes DROP CONSTRAINT notes_title_check;
