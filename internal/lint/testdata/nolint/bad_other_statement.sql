-- +goose Up
-- want-on 5 nolint
ALTER TABLE public.notes ADD COLUMN kind text;

-- portaldb:nolint drop-without-trash: nobody asks for it
ALTER TABLE public.notes ADD COLUMN sort text;
ALTER TABLE public.notes DROP COLUMN title; -- want drop-without-trash

-- +goose Down
ALTER TABLE public.notes DROP COLUMN kind, DROP COLUMN sort;
