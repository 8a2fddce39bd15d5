-- +goose Up
ALTER TABLE zoo.item ADD COLUMN colour text;
CREATE VIEW zoo.colours AS SELECT id, colour FROM zoo.item;

-- +goose Down
DROP VIEW zoo.colours;
ALTER TABLE zoo.item DROP COLUMN colour;
