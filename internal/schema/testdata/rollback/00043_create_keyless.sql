-- +goose Up
CREATE TABLE zoo.heap (a integer, b text, c json);

-- +goose Down
DROP TABLE IF EXISTS zoo.heap;
