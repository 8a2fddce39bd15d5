-- +goose Up
CREATE TABLE public.tags (name text, extra text);

-- +goose Down
DROP TABLE public.tags;
