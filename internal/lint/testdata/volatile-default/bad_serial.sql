-- +goose Up
ALTER TABLE public.notes ADD COLUMN extra bigserial; -- want volatile-default, prefer-identity

-- +goose Down
ALTER TABLE public.notes DROP COLUMN extra;
