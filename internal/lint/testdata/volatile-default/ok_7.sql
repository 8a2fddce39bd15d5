-- +goose Up
ALTER TABLE public.notes ADD COLUMN extra text[] DEFAULT ARRAY[]::text[];

-- +goose Down
ALTER TABLE public.notes DROP COLUMN extra;
