-- +goose Up
ALTER TABLE public.notes ADD COLUMN kind text;
ALTER TABLE public.notes VALIDATE CONSTRAINT notes_source_not_null; -- want work-while-locked

-- +goose Down
ALTER TABLE public.notes DROP COLUMN kind;
