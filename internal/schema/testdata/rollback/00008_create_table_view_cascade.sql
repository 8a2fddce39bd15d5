-- +goose Up
CREATE TABLE zoo.seen (id integer CONSTRAINT seen_pkey PRIMARY KEY, what text);
CREATE VIEW zoo.sights AS SELECT * FROM zoo.seen;
CREATE MATERIALIZED VIEW zoo.old_sights AS SELECT * FROM zoo.sights;

-- +goose Down
DROP TABLE zoo.seen CASCADE;
