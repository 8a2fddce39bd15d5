-- +goose Up
ALTER SCHEMA service RENAME TO extra; -- want rename

-- +goose Down
ALTER SCHEMA extra RENAME TO service;
