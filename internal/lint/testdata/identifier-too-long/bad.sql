-- +goose Up
ALTER TABLE public.notes ADD COLUMN notes_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx text; -- want identifier-too-long

-- +goose Down
ALTER TABLE public.notes DROP COLUMN notes_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx;
