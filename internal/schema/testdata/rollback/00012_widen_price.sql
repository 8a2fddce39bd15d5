-- +goose Up
ALTER TABLE zoo.item ALTER COLUMN price TYPE numeric(14, 4);

-- +goose Down
ALTER TABLE zoo.item ALTER COLUMN price TYPE numeric(10, 2) USING trunc(price, 1);
