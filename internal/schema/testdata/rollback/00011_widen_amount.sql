-- +goose Up
ALTER TABLE zoo.item ALTER COLUMN amount TYPE bigint;

-- +goose Down
ALTER TABLE zoo.item ALTER COLUMN amount TYPE integer;
