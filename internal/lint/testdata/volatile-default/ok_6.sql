-- +goose Up
ALTER TABLE public.notes ADD COLUMN extra integer DEFAULT EXTRACT(year FROM now())::integer;

-- +goose Down
ALTER TABLE public.notes DROP COLUMN extra;
