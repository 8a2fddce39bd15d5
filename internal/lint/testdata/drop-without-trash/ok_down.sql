-- +goose Up
ALTER TABLE public.notes ADD COLUMN subtitle text;

-- +goose Down
ALTER TABLE public.notes DROP COLUMN subtitle;
