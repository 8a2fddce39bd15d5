-- +goose Up
ALTER TABLE public.notes ALTER COLUMN price TYPE numeric(6, 2); -- want type-change-rewrite

-- +goose Down
SELECT;
