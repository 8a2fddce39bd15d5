-- +goose Up
ALTER TABLE public.notes VALIDATE CONSTRAINT notes_source_not_null;
ALTER TABLE public.notes ADD COLUMN kind text;

-- +goose Down
ALTER TABLE public.notes DROP COLUMN kind;
