-- +goose Up
ALTER TABLE public.notes ADD COLUMN extra timestamp; -- want prefer-timestamptz

-- +goose Down
ALTER TABLE public.notes DROP COLUMN extra;
