-- +goose Up
ALTER TABLE public.notes ADD COLUMN extra uuid DEFAULT gen_random_uuid(); -- want volatile-default

-- +goose Down
ALTER TABLE public.notes DROP COLUMN extra;
