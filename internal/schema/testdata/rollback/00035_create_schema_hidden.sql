-- +goose Up
CREATE SCHEMA wing;
CREATE TYPE wing.colour AS ENUM ('red', 'blue');
CREATE TABLE wing.cage (id integer CONSTRAINT cage_pkey PRIMARY KEY, colour wing.colour, person_id uuid CONSTRAINT cage_person_id_fkey REFERENCES zoo.person (id));

-- +goose Down
DROP SCHEMA wing CASCADE;
