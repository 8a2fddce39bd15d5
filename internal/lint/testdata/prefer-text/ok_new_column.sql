-- +goose Up
ALTER TABLE public.notes ADD COLUMN extra text;

-- +goose Down
ALTER TABLE public.notes DROP COLUMN extra;
