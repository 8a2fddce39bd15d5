-- +goose Up
CREATE INDEX days_name_idx ON ONLY public.days (name);

-- +goose Down
DROP INDEX public.days_name_idx;
