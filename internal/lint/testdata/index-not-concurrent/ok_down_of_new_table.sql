-- +goose Up
CREATE TABLE public.tags (name text);
CREATE INDEX tags_name_idx ON public.tags (name);

-- +goose Down
DROP INDEX public.tags_name_idx;
DROP TABLE public.tags;
