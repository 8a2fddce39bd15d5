-- +goose Up
ALTER TABLE zoo.pair ADD COLUMN number bigserial CONSTRAINT pair_number_key UNIQUE;

-- +goose Down
ALTER TABLE zoo.pair DROP COLUMN number;
