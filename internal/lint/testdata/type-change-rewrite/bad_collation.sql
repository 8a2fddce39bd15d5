-- +goose Up
ALTER TABLE public.notes ALTER COLUMN source TYPE text COLLATE "C"; -- want type-change-rewrite
ALTER TABLE public.notes ALTER COLUMN source TYPE text; -- want type-change-rewrite

-- +goose Down
SELECT;
