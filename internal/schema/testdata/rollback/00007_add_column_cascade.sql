-- +goose Up
ALTER TABLE zoo.item ADD COLUMN shape text;
CREATE VIEW zoo.shapes AS SELECT id, shape FROM zoo.item;

-- +goose Down
ALTER TABLE zoo.item DROP COLUMN shape CASCADE;
