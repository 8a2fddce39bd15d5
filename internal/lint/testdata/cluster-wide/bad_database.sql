-- +goose NO TRANSACTION
-- +goose Up
CREATE DATABASE other; -- want cluster-wide

-- +goose Down
DROP DATABASE other; -- want cluster-wide
