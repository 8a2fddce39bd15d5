-- +goose Up
ALTER TABLE public.notes ADD COLUMN extra varchar(20); -- want prefer-text

-- +goose Down
ALTER TABLE public.notes DROP COLUMN extra;
