-- +goose Up
ALTER TABLE public.notes ALTER COLUMN size SET NOT NULL; -- want set-not-null-scan

-- +goose Down
SELECT;
