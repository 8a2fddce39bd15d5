-- +goose Up
ALTER TABLE zoo.old_name RENAME TO new_name;

-- +goose Down
ALTER TABLE zoo.new_name RENAME TO old_name;
