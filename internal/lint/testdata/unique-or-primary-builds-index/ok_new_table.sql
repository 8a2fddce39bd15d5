-- +goose Up
CREATE TABLE public.tags (name text);
ALTER TABLE public.tags ADD CONSTRAINT tags_pkey PRIMARY KEY (name);

-- +goose Down
DROP TABLE public.tags;
