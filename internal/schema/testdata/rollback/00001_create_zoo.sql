-- +goose Up
-- +goose StatementBegin
CREATE SCHEMA zoo;
CREATE TABLE zoo.typed (id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT typed_pkey PRIMARY KEY, name text NOT NULL);
CREATE TABLE zoo.item (id integer CONSTRAINT item_pkey PRIMARY KEY, box_id integer, amount integer NOT NULL, price numeric(10, 2) NOT NULL, note varchar(80));
CREATE TABLE zoo.person (id uuid CONSTRAINT person_pkey PRIMARY KEY, name text NOT NULL, "Odd Name" text, updated_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE zoo.keyless (a integer, b text);
CREATE TABLE zoo.pair (a integer NOT NULL, b text NOT NULL, c text, CONSTRAINT pair_a_b_key UNIQUE (a, b));
CREATE TABLE zoo.old_name (id integer CONSTRAINT old_name_pkey PRIMARY KEY, old_column text, kept text);
CREATE TABLE zoo.trail (id bigserial CONSTRAINT trail_pkey PRIMARY KEY, what text NOT NULL);
CREATE TYPE zoo.mood AS ENUM ('calm', 'cross');
CREATE TYPE zoo.size AS ENUM ('small', 'large');
CREATE TABLE zoo.animal (id integer CONSTRAINT animal_pkey PRIMARY KEY, mood zoo.mood NOT NULL, size zoo.size, weight integer NOT NULL,
    doubled integer GENERATED ALWAYS AS (weight * 2) STORED);
CREATE TABLE zoo.event (kind text NOT NULL, id integer NOT NULL, text text, CONSTRAINT event_pkey PRIMARY KEY (kind, id)) PARTITION BY LIST (kind);
CREATE TABLE zoo.event_a PARTITION OF zoo.event FOR VALUES IN ('a');
CREATE TABLE zoo.event_b PARTITION OF zoo.event FOR VALUES IN ('b');
CREATE TABLE zoo."Odd Table" ("Id" integer CONSTRAINT odd_table_pkey PRIMARY KEY, "select" text);

CREATE FUNCTION zoo.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME;
END
$$;
CREATE TRIGGER trail_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON zoo.trail FOR EACH STATEMENT EXECUTE FUNCTION zoo.refuse();
CREATE FUNCTION zoo.touch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.updated_at = now();
    RETURN NEW;
END
$$;
CREATE TRIGGER person_touch BEFORE UPDATE ON zoo.person FOR EACH ROW EXECUTE FUNCTION zoo.touch();
-- +goose StatementEnd

-- +goose Down
DROP SCHEMA zoo CASCADE;
