-- +goose Up
CREATE TABLE zoo.elder (id integer CONSTRAINT elder_pkey PRIMARY KEY, name text, CONSTRAINT elder_id_check CHECK (id > 0));
CREATE TABLE zoo.heir (extra text) INHERITS (zoo.elder);

-- +goose Down
DROP TABLE zoo.heir;
DROP TABLE zoo.elder;
