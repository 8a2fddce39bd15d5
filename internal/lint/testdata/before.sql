-- +goose Up
-- The schema that the cases start from: tables in use, with one of each thing that rules ask about.
CREATE TYPE public.mood AS ENUM ('calm', 'cross');
CREATE DOMAIN public.code AS text;

CREATE TABLE public.users (
    id    bigint GENERATED ALWAYS AS IDENTITY,
    email text NOT NULL,

    CONSTRAINT users_pkey PRIMARY KEY (id),
    CONSTRAINT users_email_key UNIQUE (email)
);

CREATE TABLE public.notes (
    id         bigint GENERATED ALWAYS AS IDENTITY,
    author     bigint,
    reviewer   bigint,
    title      varchar(50),
    body       text,
    price      numeric(8, 2),
    size       integer,
    mood       public.mood,
    source     text,
    created_at timestamptz NOT NULL DEFAULT now(),

    CONSTRAINT notes_pkey PRIMARY KEY (id),
    CONSTRAINT notes_size_check CHECK (size > 0),
    CONSTRAINT notes_body_not_null CHECK (body IS NOT NULL),
    CONSTRAINT notes_created_at_not_null CHECK (created_at IS NOT NULL)
);
CREATE INDEX notes_author_idx ON public.notes (author, created_at);
CREATE INDEX notes_reviewer_open_idx ON public.notes (reviewer) WHERE size > 10;

ALTER TABLE public.notes ADD CONSTRAINT notes_source_not_null CHECK (source IS NOT NULL) NOT VALID;

CREATE VIEW public.titles AS SELECT title FROM public.notes;

-- +goose StatementBegin
CREATE FUNCTION public.touch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RETURN NEW;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER notes_touch BEFORE UPDATE ON public.notes FOR EACH ROW EXECUTE FUNCTION public.touch();

-- +goose Down
DROP TABLE public.notes CASCADE;
DROP TABLE public.users;
DROP FUNCTION public.touch();
DROP DOMAIN public.code;
DROP TYPE public.mood;
