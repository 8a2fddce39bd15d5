-- +goose Up
CREATE TYPE public.sort AS ENUM ('a');
ALTER TYPE public.sort ADD VALUE 'b';
CREATE TABLE public.tags (sort public.sort DEFAULT 'b');

-- +goose Down
DROP TABLE public.tags;
DROP TYPE public.sort;
