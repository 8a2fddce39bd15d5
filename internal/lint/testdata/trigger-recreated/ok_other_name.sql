-- +goose Up
DROP TRIGGER notes_touch ON public.notes;
CREATE TRIGGER notes_touch_all BEFORE INSERT OR UPDATE ON public.notes FOR EACH ROW EXECUTE FUNCTION public.touch();

-- +goose Down
DROP TRIGGER notes_touch_all ON public.notes;
