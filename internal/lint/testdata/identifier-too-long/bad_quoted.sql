-- +goose Up
ALTER TABLE public.notes ADD COLUMN "çççççççççççççççççççççççççççççççç" text; -- want identifier-too-long

-- +goose Down
ALTER TABLE public.notes DROP COLUMN "çççççççççççççççççççççççççççççççç";
