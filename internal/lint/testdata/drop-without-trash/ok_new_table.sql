-- +goose Up
CREATE TABLE public.tags (name text, note text);
ALTER TABLE public.tags DROP COLUMN note;
TRUNCATE public.tags;
DROP TABLE public.tags;

-- +goose Down
SELECT;
