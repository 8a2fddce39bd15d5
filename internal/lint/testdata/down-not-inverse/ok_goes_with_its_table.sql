-- +goose Up
CREATE TABLE public.tags (name text);
CREATE INDEX tags_name_idx ON public.tags (name);
ALTER TABLE public.tags ADD COLUMN kind text, ADD CONSTRAINT tags_kind_check CHECK (kind <> '');
CREATE TRIGGER tags_touch BEFORE UPDATE ON public.tags FOR EACH ROW EXECUTE FUNCTION public.touch();

-- +goose Down
DROP TABLE public.tags;
