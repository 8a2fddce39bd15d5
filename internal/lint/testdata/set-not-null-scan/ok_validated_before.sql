-- +goose Up
ALTER TABLE public.notes ALTER COLUMN source SET NOT NULL;

-- +goose Down
ALTER TABLE public.notes ALTER COLUMN source DROP NOT NULL;
