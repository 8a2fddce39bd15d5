-- +goose Up
CREATE TYPE public.sort AS ENUM ('a'); -- want down-not-inverse
CREATE VIEW public.bodies AS SELECT body FROM public.notes; -- want down-not-inverse
-- +goose StatementBegin
CREATE FUNCTION public.one() RETURNS int LANGUAGE sql AS 'SELECT 1'; -- want down-not-inverse
-- +goose StatementEnd
CREATE TRIGGER notes_one BEFORE UPDATE ON public.notes FOR EACH ROW EXECUTE FUNCTION public.touch(); -- want down-not-inverse
ALTER TABLE public.notes ADD CONSTRAINT notes_a_check CHECK (size < 100) NOT VALID; -- want down-not-inverse
CREATE SCHEMA extra; -- want down-not-inverse
CREATE SEQUENCE public.counter; -- want down-not-inverse

-- +goose Down
SELECT;
