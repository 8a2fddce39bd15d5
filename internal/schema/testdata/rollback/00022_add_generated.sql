-- +goose Up
ALTER TABLE zoo.item ADD COLUMN total numeric GENERATED ALWAYS AS (amount * price) STORED;

-- +goose Down
ALTER TABLE zoo.item DROP COLUMN total;
