-- +goose Up
CREATE TABLE public.tags (name text);
CREATE INDEX ON public.tags (name);

-- +goose Down
DROP TABLE public.tags;
