-- +goose Up
CREATE TABLE public.tags (name text);
ALTER TABLE public.tags ADD COLUMN kind text;
ALTER TABLE public.notes ADD COLUMN kind text;
CREATE INDEX tags_name_idx ON public.tags (name);

-- +goose Down
ALTER TABLE public.notes DROP COLUMN kind;
DROP TABLE public.tags;
