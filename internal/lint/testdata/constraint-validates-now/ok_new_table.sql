-- +goose Up
CREATE TABLE public.tags (name text);
ALTER TABLE public.tags ADD CONSTRAINT tags_name_check CHECK (name <> '');

-- +goose Down
DROP TABLE public.tags;
