-- +goose Up
ALTER TABLE public.notes ADD COLUMN extra timestamptz DEFAULT clock_timestamp(); -- want volatile-default

-- +goose Down
ALTER TABLE public.notes DROP COLUMN extra;
