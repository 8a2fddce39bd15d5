-- +goose Up
CREATE TABLE public.tags (size integer);
ALTER TABLE public.tags ALTER COLUMN size TYPE bigint;

-- +goose Down
DROP TABLE public.tags;
