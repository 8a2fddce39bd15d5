-- +goose Up
ALTER TABLE zoo.old_name RENAME COLUMN old_column TO new_column;

-- +goose Down
ALTER TABLE zoo.old_name RENAME COLUMN new_column TO old_column;
