-- +goose Up
ALTER TABLE public.notes ADD COLUMN extra date DEFAULT (now() AT TIME ZONE 'UTC')::date;

-- +goose Down
ALTER TABLE public.notes DROP COLUMN extra;
