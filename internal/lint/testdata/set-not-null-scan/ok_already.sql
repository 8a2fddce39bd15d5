-- +goose Up
ALTER TABLE public.notes ALTER COLUMN created_at SET NOT NULL;

-- +goose Down
SELECT;
