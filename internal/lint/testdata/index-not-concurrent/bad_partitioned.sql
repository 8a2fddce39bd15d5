-- +goose Up
CREATE INDEX days_name_idx ON public.days (name); -- want index-not-concurrent

-- +goose Down
DROP INDEX public.days_name_idx;
