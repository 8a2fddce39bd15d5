-- +goose Up
CREATE TABLE zoo.event_c PARTITION OF zoo.event FOR VALUES IN ('c');

-- +goose Down
DROP TABLE zoo.event_c;
