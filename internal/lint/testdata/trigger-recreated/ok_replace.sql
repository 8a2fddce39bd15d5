-- +goose Up
CREATE OR REPLACE TRIGGER notes_touch BEFORE INSERT OR UPDATE ON public.notes FOR EACH ROW EXECUTE FUNCTION public.touch();

-- +goose Down
CREATE OR REPLACE TRIGGER notes_touch BEFORE UPDATE ON public.notes FOR EACH ROW EXECUTE FUNCTION public.touch();
