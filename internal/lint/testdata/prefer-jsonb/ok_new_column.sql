-- +goose Up
ALTER TABLE public.notes ADD COLUMN extra jsonb;

-- +goose Down
ALTER TABLE public.notes DROP COLUMN extra;
