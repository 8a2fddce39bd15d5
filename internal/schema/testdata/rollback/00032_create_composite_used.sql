-- +goose Up
CREATE TYPE zoo.spot AS (x integer, y integer);
CREATE TABLE zoo.spotted (id integer CONSTRAINT spotted_pkey PRIMARY KEY, spot zoo.spot, name text);

-- +goose Down
DROP TABLE zoo.spotted;
DROP TYPE zoo.spot;
