-- +goose Up
ALTER TABLE public.notes ADD COLUMN extra char(2); -- want ban-char

-- +goose Down
ALTER TABLE public.notes DROP COLUMN extra;
