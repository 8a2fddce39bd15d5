-- +goose Up
CREATE TABLE zoo.status (id uuid DEFAULT gen_random_uuid() CONSTRAINT status_pkey PRIMARY KEY, name text NOT NULL CONSTRAINT status_name_key UNIQUE);
INSERT INTO zoo.status (name) VALUES ('open'), ('closed');
CREATE TABLE zoo.rank (id integer CONSTRAINT rank_pkey PRIMARY KEY, name text);
INSERT INTO zoo.rank VALUES (1, 'first'), (2, 'second');
ALTER TABLE zoo.person ADD COLUMN rank_id integer DEFAULT 1 CONSTRAINT person_rank_id_fkey REFERENCES zoo.rank (id) ON DELETE CASCADE;

-- +goose Down
ALTER TABLE zoo.person DROP COLUMN rank_id;
DROP TABLE zoo.rank;
DROP TABLE zoo.status;
