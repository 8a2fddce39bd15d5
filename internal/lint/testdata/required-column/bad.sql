-- +goose Up
ALTER TABLE public.notes ADD COLUMN kind text NOT NULL; -- want required-column

-- +goose Down
ALTER TABLE public.notes DROP COLUMN kind;
