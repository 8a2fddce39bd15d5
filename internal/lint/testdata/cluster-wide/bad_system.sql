-- +goose NO TRANSACTION
-- +goose Up
ALTER SYSTEM SET work_mem = '1MB'; -- want cluster-wide

-- +goose Down
ALTER SYSTEM RESET work_mem; -- want cluster-wide
