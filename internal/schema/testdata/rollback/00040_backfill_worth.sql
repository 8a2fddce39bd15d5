-- +goose Up
ALTER TABLE zoo.item ADD COLUMN worth numeric;
UPDATE zoo.item SET worth = amount * price;
ALTER TABLE zoo.item ALTER COLUMN worth SET DEFAULT 0;

-- +goose Down
ALTER TABLE zoo.item DROP COLUMN worth;
