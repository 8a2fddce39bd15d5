-- +goose Up
DROP INDEX public.days_day_idx;

-- +goose Down
CREATE INDEX days_day_idx ON ONLY public.days (day);
