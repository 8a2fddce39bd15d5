-- +goose Up
ALTER TABLE public.notes ALTER COLUMN body TYPE jsonb USING body::jsonb; -- want type-change-rewrite

-- +goose Down
SELECT;
