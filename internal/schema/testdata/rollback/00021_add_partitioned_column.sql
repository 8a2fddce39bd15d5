-- +goose Up
ALTER TABLE zoo.event ADD COLUMN weight integer;

-- +goose Down
ALTER TABLE zoo.event DROP COLUMN weight;
