-- +goose Up
ALTER TABLE public.notes ALTER COLUMN source SET NOT NULL; -- want set-not-null-scan

-- +goose Down
ALTER TABLE public.notes ALTER COLUMN source DROP NOT NULL;
