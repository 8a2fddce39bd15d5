-- +goose Up
ALTER TABLE public.notes ALTER COLUMN title TYPE char(50); -- want type-change-rewrite

-- +goose Down
SELECT;
