-- +goose Up
ALTER TABLE public.notes ALTER COLUMN author SET NOT NULL; -- want set-not-null-scan

-- +goose Down
ALTER TABLE public.notes ALTER COLUMN author DROP NOT NULL;
