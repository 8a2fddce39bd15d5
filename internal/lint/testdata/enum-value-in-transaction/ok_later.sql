-- +goose Up
ALTER TYPE public.mood ADD VALUE 'glad' AFTER 'calm';
ALTER TABLE public.notes ALTER COLUMN mood SET DEFAULT 'calm';

-- +goose Down
SELECT;
