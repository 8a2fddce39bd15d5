-- +goose NO TRANSACTION
-- +goose Up
ALTER TABLE zoo.pair ADD COLUMN outside text;

-- +goose Down
ALTER TABLE zoo.pair DROP COLUMN outside;
