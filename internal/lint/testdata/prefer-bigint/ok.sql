-- +goose Up
CREATE TABLE public.tags (id bigint PRIMARY KEY, size integer, pages smallint);

-- +goose Down
DROP TABLE public.tags;
