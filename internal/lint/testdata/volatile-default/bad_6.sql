-- +goose Up
ALTER TABLE public.notes ADD COLUMN extra text GENERATED ALWAYS AS (lower(body)) STORED; -- want volatile-default

-- +goose Down
ALTER TABLE public.notes DROP COLUMN extra;
