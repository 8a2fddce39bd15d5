-- +goose Up
ALTER TABLE public.notes ADD COLUMN extra timestamptz NOT NULL DEFAULT now();

-- +goose Down
ALTER TABLE public.notes DROP COLUMN extra;
