-- +goose Up
ALTER TABLE public.notes ADD COLUMN kind text; -- want down-not-inverse

-- +goose Down
ALTER TABLE public.notes DROP COLUMN title;
