-- +goose Up
ALTER TABLE zoo.new_name RENAME TO newest_name;
ALTER TABLE zoo.newest_name ADD COLUMN extra text;

-- +goose Down
ALTER TABLE zoo.newest_name DROP COLUMN extra;
ALTER TABLE zoo.newest_name RENAME TO new_name;
