-- +goose Up
CREATE TABLE public.tags (name text, extra jsonb);

-- +goose Down
DROP TABLE public.tags;
