-- +goose NO TRANSACTION
-- +goose Up
VACUUM (FULL, ANALYZE) public.notes; -- want vacuum-full-or-cluster

-- +goose Down
SELECT;
