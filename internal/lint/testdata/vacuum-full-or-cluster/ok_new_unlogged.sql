-- +goose Up
CREATE TABLE public.tags (name text);
ALTER TABLE public.tags SET UNLOGGED;

-- +goose Down
DROP TABLE public.tags;
