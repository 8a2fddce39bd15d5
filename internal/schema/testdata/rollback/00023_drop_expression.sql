-- +goose Up
ALTER TABLE zoo.animal ALTER COLUMN doubled DROP EXPRESSION;

-- +goose Down
ALTER TABLE zoo.animal DROP COLUMN doubled;
ALTER TABLE zoo.animal ADD COLUMN doubled integer GENERATED ALWAYS AS (weight * 2) STORED;
