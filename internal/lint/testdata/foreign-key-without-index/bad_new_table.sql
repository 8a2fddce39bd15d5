-- +goose Up
CREATE TABLE public.tags (
    name text,
    owner bigint REFERENCES public.users (id) -- want foreign-key-without-index
);

-- +goose Down
DROP TABLE public.tags;
