-- +goose Up
CREATE TABLE public.tags ();
ALTER TABLE public.tags ADD COLUMN name text NOT NULL;

-- +goose Down
DROP TABLE public.tags;
