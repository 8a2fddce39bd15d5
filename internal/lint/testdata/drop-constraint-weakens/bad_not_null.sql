-- +goose Up
ALTER TABLE public.notes ALTER COLUMN created_at DROP NOT NULL; -- want drop-constraint-weakens

-- +goose Down
SELECT;
