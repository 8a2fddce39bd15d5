-- +goose Up
ALTER TABLE public.notes ADD COLUMN kind text;
UPDATE public.users SET email = lower(email) WHERE id = 7; -- want work-while-locked

-- +goose Down
ALTER TABLE public.notes DROP COLUMN kind;
