-- +goose Up
CREATE TABLE public.tags (
    name text,
    extra varchar(20) -- want prefer-text
);

-- +goose Down
DROP TABLE public.tags;
