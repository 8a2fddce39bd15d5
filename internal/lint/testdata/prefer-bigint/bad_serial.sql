-- +goose Up
CREATE TABLE public.tags (id serial); -- want prefer-bigint, prefer-identity

-- +goose Down
DROP TABLE public.tags;
