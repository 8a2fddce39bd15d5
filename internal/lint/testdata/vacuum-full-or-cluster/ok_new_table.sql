-- +goose Up
CREATE TABLE public.tags (name text PRIMARY KEY);
CLUSTER public.tags USING tags_pkey;

-- +goose Down
DROP TABLE public.tags;
