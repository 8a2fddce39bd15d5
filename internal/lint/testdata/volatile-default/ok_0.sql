-- +goose Up
ALTER TABLE public.notes ADD COLUMN extra text DEFAULT 'x'::text;

-- +goose Down
ALTER TABLE public.notes DROP COLUMN extra;
