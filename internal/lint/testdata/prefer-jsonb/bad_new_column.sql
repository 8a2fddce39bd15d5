-- +goose Up
ALTER TABLE public.notes ADD COLUMN extra json; -- want prefer-jsonb

-- +goose Down
ALTER TABLE public.notes DROP COLUMN extra;
