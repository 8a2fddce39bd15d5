-- +goose Up
ALTER TABLE public.notes ALTER COLUMN body TYPE varchar(100); -- want type-change-rewrite

-- +goose Down
SELECT;
