-- +goose Up
ALTER TABLE public.notes ADD CHECK (length(title) < 40) NOT VALID;
ALTER TABLE public.notes VALIDATE CONSTRAINT notes_title_check; -- want constraint-validates-now, work-while-locked

-- +goose Down
ALTER TABLE public.notes DROP CONSTRAINT notes_title_check;
