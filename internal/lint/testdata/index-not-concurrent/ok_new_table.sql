-- +goose Up
CREATE TABLE public.tags (name text NOT NULL, CONSTRAINT tags_pkey PRIMARY KEY (name));
CREATE INDEX tags_lower_idx ON tags (lower(name));
CREATE TABLE IF NOT EXISTS public.marks (name text);
CREATE INDEX marks_name_idx ON public.marks (name);
CREATE TABLE public.copied AS SELECT title FROM public.notes;
CREATE INDEX copied_title_idx ON public.copied (title);
CREATE MATERIALIZED VIEW public.sums AS SELECT author, count(*) FROM public.notes GROUP BY author;
CREATE UNIQUE INDEX sums_author_idx ON public.sums (author);
CREATE TEMP TABLE scratch (a text);
CREATE INDEX scratch_a_idx ON scratch (a);

-- +goose Down
DROP MATERIALIZED VIEW public.sums;
DROP TABLE public.copied, public.marks, public.tags, scratch;
