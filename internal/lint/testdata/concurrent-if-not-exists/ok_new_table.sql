-- +goose Up
CREATE TABLE public.tags (name text);
CREATE INDEX IF NOT EXISTS tags_name_idx ON public.tags (name);

-- +goose Down
DROP TABLE public.tags;
