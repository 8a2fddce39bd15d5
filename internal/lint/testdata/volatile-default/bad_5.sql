-- +goose Up
ALTER TABLE public.notes ADD COLUMN extra bigint GENERATED ALWAYS AS IDENTITY; -- want volatile-default

-- +goose Down
ALTER TABLE public.notes DROP COLUMN extra;
