-- +goose Up
CREATE TABLE public.tags (name text, extra bigint GENERATED ALWAYS AS IDENTITY);

-- +goose Down
DROP TABLE public.tags;
