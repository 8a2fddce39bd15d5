-- +goose Up
DROP TRIGGER notes_touch ON public.notes;
CREATE TRIGGER notes_touch BEFORE INSERT OR UPDATE ON notes FOR EACH ROW EXECUTE FUNCTION public.touch(); -- want trigger-recreated

-- +goose Down
CREATE OR REPLACE TRIGGER notes_touch BEFORE UPDATE ON public.notes FOR EACH ROW EXECUTE FUNCTION public.touch();
