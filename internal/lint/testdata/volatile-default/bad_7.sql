-- +goose Up
ALTER TABLE public.notes ADD COLUMN extra text DEFAULT 'n' || md5(random()::text); -- want volatile-default

-- +goose Down
ALTER TABLE public.notes DROP COLUMN extra;
