-- +goose Up
ALTER TABLE public.notes ALTER COLUMN price TYPE numeric(10, 3); -- want type-change-rewrite

-- +goose Down
SELECT;
