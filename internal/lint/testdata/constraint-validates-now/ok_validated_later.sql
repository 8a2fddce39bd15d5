-- +goose Up
ALTER TABLE public.notes VALIDATE CONSTRAINT notes_source_not_null;

-- +goose Down
SELECT;
