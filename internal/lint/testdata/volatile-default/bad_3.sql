-- +goose Up
ALTER TABLE public.notes ADD COLUMN extra bigint DEFAULT nextval('public.a_seq'); -- want volatile-default

-- +goose Down
ALTER TABLE public.notes DROP COLUMN extra;
