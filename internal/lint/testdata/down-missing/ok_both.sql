-- +goose Up
ALTER TABLE public.notes ADD COLUMN kind text;

-- +goose Down
ALTER TABLE public.notes DROP COLUMN kind;
