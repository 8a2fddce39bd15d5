-- +goose Up
ALTER TABLE zoo.person ADD COLUMN phone text;

-- +goose Down
ALTER TABLE zoo.person DROP COLUMN phone;
