-- +goose Up
ALTER TABLE public.notes ALTER COLUMN created_at TYPE timestamp; -- want type-change-rewrite

-- +goose Down
SELECT;
