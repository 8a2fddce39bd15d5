-- +goose Up
ALTER TABLE public.notes ALTER COLUMN size TYPE bigint; -- want type-change-rewrite

-- +goose Down
SELECT;
