-- +goose Up
ALTER TABLE public.notes DROP COLUMN title; -- want drop-without-trash

-- +goose Down
ALTER TABLE public.notes ADD COLUMN title text;
