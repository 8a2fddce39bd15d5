-- +goose Up
ALTER TABLE public.notes ALTER COLUMN title TYPE varchar(20); -- want type-change-rewrite

-- +goose Down
SELECT;
