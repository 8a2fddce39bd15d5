-- +goose Up
ALTER TABLE public.notes ADD COLUMN kind text;
INSERT INTO public.users (email) VALUES ('a@example.org');

-- +goose Down
ALTER TABLE public.notes DROP COLUMN kind;
