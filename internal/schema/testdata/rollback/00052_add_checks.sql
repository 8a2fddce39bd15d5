-- +goose Up
ALTER TABLE zoo.item ADD CONSTRAINT item_amount_check CHECK (amount > -1000000);
CREATE STATISTICS zoo.item_statistics ON amount, price FROM zoo.item;

-- +goose Down
DROP STATISTICS zoo.item_statistics;
ALTER TABLE zoo.item DROP CONSTRAINT item_amount_check;
