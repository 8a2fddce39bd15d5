-- +goose Up
CREATE OR REPLACE VIEW public.titles AS SELECT title, body FROM public.notes;

-- +goose Down
DROP VIEW public.titles;
CREATE VIEW public.titles AS SELECT title FROM public.notes;
