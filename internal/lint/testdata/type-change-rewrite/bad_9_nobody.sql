-- +goose Up
ALTER TABLE public.notes ALTER COLUMN nobody TYPE text; -- want type-change-rewrite

-- +goose Down
SELECT;
