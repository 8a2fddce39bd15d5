-- +goose Up
ALTER TYPE public.mood ADD VALUE 'glad';
ALTER TABLE public.notes ALTER COLUMN mood SET DEFAULT 'glad'; -- want enum-value-in-transaction

-- +goose Down
SELECT;
