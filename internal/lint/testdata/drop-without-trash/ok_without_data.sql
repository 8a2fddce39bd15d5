-- +goose Up
DROP TRIGGER notes_touch ON public.notes;
DROP FUNCTION public.touch();
DROP VIEW public.titles;

-- +goose Down
CREATE VIEW public.titles AS SELECT title FROM public.notes;
