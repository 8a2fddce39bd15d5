-- +goose Up
ALTER TABLE public.notes ALTER COLUMN body SET NOT NULL;
ALTER TABLE public.notes DROP CONSTRAINT notes_body_not_null;

-- +goose Down
ALTER TABLE public.notes ALTER COLUMN body DROP NOT NULL;
