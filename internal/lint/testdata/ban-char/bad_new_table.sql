-- +goose Up
CREATE TABLE public.tags (
    name text,
    extra char(2) -- want ban-char
);

-- +goose Down
DROP TABLE public.tags;
