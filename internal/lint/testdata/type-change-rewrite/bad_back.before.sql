-- +goose Up
ALTER TABLE public.notes ALTER COLUMN price TYPE numeric;

-- +goose Down
SELECT;
