-- +goose Up
CREATE TABLE public.tags (id uuid DEFAULT gen_random_uuid());
ALTER TABLE public.tags ADD COLUMN other uuid DEFAULT gen_random_uuid();

-- +goose Down
DROP TABLE public.tags;
