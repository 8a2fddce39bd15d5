-- +goose Up
ALTER TABLE public.notes ADD COLUMN extra text DEFAULT public.mine(); -- want volatile-default

-- +goose Down
ALTER TABLE public.notes DROP COLUMN extra;
