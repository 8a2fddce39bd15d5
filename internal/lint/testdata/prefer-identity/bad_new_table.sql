-- +goose Up
CREATE TABLE public.tags (
    name text,
    extra bigserial -- want prefer-identity
);

-- +goose Down
DROP TABLE public.tags;
