-- +goose NO TRANSACTION
-- +goose Up
VACUUM (FULL on) public.notes; -- want vacuum-full-or-cluster

-- +goose Down
VACUUM FULL public.notes; -- want vacuum-full-or-cluster
