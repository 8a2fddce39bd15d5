-- +goose NO TRANSACTION
-- +goose Up
SELECT 1; -- want no-transaction-statements
SELECT 2;

-- +goose Down
SELECT;
