-- +goose Up
CREATE TABLE public.tags (nam text);
ALTER TABLE public.tags RENAME COLUMN nam TO name;

-- +goose Down
DROP TABLE public.tags;
