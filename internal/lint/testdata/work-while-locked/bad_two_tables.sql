-- +goose Up
ALTER TABLE public.notes ADD COLUMN kind text;
ALTER TABLE public.users ADD COLUMN kind text; -- want work-while-locked

-- +goose Down
ALTER TABLE public.users DROP COLUMN kind;
ALTER TABLE public.notes DROP COLUMN kind;
