-- +goose NO TRANSACTION
-- +goose Up
SELECT 1;

-- +goose Down
SELECT 1; -- want no-transaction-statements
SELECT 2;
