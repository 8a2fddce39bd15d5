-- +goose Up
ALTER TABLE public.notes ADD COLUMN extra uuid;
ALTER TABLE public.notes ALTER COLUMN extra SET DEFAULT gen_random_uuid();

-- +goose Down
ALTER TABLE public.notes DROP COLUMN extra;
