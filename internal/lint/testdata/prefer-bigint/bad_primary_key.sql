-- +goose Up
CREATE TABLE public.tags (
    id integer, -- want prefer-bigint
    CONSTRAINT tags_pkey PRIMARY KEY (id)
);

-- +goose Down
DROP TABLE public.tags;
