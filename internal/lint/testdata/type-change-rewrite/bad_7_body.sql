-- +goose Up
ALTER TABLE public.notes ALTER COLUMN body TYPE text USING lower(body); -- want type-change-rewrite

-- +goose Down
SELECT;
