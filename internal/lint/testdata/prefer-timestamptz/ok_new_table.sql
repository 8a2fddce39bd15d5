-- +goose Up
CREATE TABLE public.tags (name text, extra timestamptz);

-- +goose Down
DROP TABLE public.tags;
