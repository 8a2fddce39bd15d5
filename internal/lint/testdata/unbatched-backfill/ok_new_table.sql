-- +goose Up
CREATE TABLE public.tags (name text);
INSERT INTO public.tags SELECT title FROM public.notes;
UPDATE public.tags SET name = lower(name);

-- +goose Down
DROP TABLE public.tags;
