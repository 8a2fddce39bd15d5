-- +goose NO TRANSACTION
-- +goose Up
-- +goose StatementBegin
SELECT 1; -- want no-transaction-statements
SELECT 2;
-- +goose StatementEnd

-- +goose Down
SELECT;
