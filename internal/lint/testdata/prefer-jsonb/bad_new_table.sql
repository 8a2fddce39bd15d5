-- +goose Up
CREATE TABLE public.tags (
    name text,
    extra json -- want prefer-jsonb
);

-- +goose Down
DROP TABLE public.tags;
