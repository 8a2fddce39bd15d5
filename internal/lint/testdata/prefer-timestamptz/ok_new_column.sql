-- +goose Up
ALTER TABLE public.notes ADD COLUMN extra timestamptz;

-- +goose Down
ALTER TABLE public.notes DROP COLUMN extra;
