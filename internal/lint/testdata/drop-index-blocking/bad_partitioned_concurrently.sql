-- +goose NO TRANSACTION
-- +goose Up
DROP INDEX CONCURRENTLY public.days_day_idx; -- want drop-index-blocking

-- +goose Down
CREATE INDEX days_day_idx ON ONLY public.days (day);
