-- +goose Up
ALTER TABLE public.notes ADD COLUMN extra integer DEFAULT -1;

-- +goose Down
ALTER TABLE public.notes DROP COLUMN extra;
