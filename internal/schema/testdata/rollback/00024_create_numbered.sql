-- +goose Up
CREATE TABLE zoo.numbered (id serial CONSTRAINT numbered_pkey PRIMARY KEY, other bigint GENERATED ALWAYS AS IDENTITY (START 1000 INCREMENT 5), name text);

-- +goose Down
DROP TABLE zoo.numbered;
