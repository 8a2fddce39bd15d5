-- +goose Up
ALTER TABLE public.notes ADD COLUMN slug text UNIQUE; -- want unique-or-primary-builds-index

-- +goose Down
ALTER TABLE public.notes DROP COLUMN slug;
