-- +goose Up
ALTER TABLE public.notes ADD COLUMN extra double precision DEFAULT random(); -- want volatile-default

-- +goose Down
ALTER TABLE public.notes DROP COLUMN extra;
