-- +goose Up
ALTER TABLE public.notes ADD COLUMN extra text DEFAULT lower('A');

-- +goose Down
ALTER TABLE public.notes DROP COLUMN extra;
