-- +goose Up
ALTER TABLE public.notes ADD COLUMN extra jsonb DEFAULT '{}';

-- +goose Down
ALTER TABLE public.notes DROP COLUMN extra;
