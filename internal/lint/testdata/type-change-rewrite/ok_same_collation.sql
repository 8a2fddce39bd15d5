-- +goose Up
ALTER TABLE public.notes ADD COLUMN kind text COLLATE "C";
ALTER TABLE public.notes ALTER COLUMN kind TYPE text COLLATE pg_catalog."C";
ALTER TABLE public.notes ALTER COLUMN title TYPE text COLLATE "default";

-- +goose Down
ALTER TABLE public.notes DROP COLUMN kind;
