-- +goose Up
CREATE TABLE public.tags (name text);
ALTER TABLE public.tags ALTER COLUMN name SET NOT NULL;

-- +goose Down
DROP TABLE public.tags;
