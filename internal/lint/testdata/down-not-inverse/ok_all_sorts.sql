-- +goose Up
CREATE TYPE public.sort AS ENUM ('a');
CREATE VIEW bodies AS SELECT body FROM public.notes;
-- +goose StatementBegin
CREATE FUNCTION public.one() RETURNS int LANGUAGE sql AS 'SELECT 1';
-- +goose StatementEnd
CREATE TRIGGER notes_one BEFORE UPDATE ON public.notes FOR EACH ROW EXECUTE FUNCTION public.touch();
ALTER TABLE public.notes ADD CONSTRAINT notes_a_check CHECK (size < 100) NOT VALID;
CREATE SCHEMA extra;
CREATE TABLE extra.a (b text);
CREATE SEQUENCE public.counter;
CREATE DOMAIN public.word AS text;

-- +goose Down
DROP DOMAIN public.word;
DROP SEQUENCE public.counter;
DROP SCHEMA extra CASCADE;
ALTER TABLE public.notes DROP CONSTRAINT notes_a_check;
DROP TRIGGER notes_one ON public.notes;
DROP FUNCTION public.one();
DROP VIEW public.bodies;
DROP TYPE public.sort;
