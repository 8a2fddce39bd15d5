-- +goose Up
DROP VIEW public.titles;
CREATE VIEW public.titles AS SELECT title, body FROM public.notes;
CREATE OR REPLACE VIEW public.titles AS SELECT title, body, size FROM public.notes;
ALTER TABLE public.notes ADD COLUMN kind text;

-- +goose Down
ALTER TABLE public.notes DROP COLUMN kind;
DROP VIEW public.titles;
