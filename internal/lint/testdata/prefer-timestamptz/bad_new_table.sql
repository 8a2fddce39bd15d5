-- +goose Up
CREATE TABLE public.tags (
    name text,
    extra timestamp -- want prefer-timestamptz
);

-- +goose Down
DROP TABLE public.tags;
