-- +goose Up
CREATE TABLE public.tags (name text);
CREATE INDEX tags_name_idx ON public.tags (name);
DROP INDEX public.tags_name_idx;

-- +goose Down
DROP TABLE public.tags;
