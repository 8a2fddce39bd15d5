-- +goose Up
ALTER TABLE public.notes ADD COLUMN editor bigint REFERENCES public.users (id); -- want foreign-key-without-index

-- +goose Down
ALTER TABLE public.notes DROP COLUMN editor;
