-- +goose Up
ALTER TABLE public.notes ADD COLUMN extra timestamptz DEFAULT CURRENT_TIMESTAMP;

-- +goose Down
ALTER TABLE public.notes DROP COLUMN extra;
