-- +goose Up
ALTER TABLE public.notes DROP CONSTRAINT notes_created_at_not_null;

-- +goose Down
SELECT;
