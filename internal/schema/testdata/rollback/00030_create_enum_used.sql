-- +goose Up
CREATE TYPE zoo.level AS ENUM ('low', 'high');
CREATE TABLE zoo.alert (id integer CONSTRAINT alert_pkey PRIMARY KEY, level zoo.level NOT NULL DEFAULT 'low', levels zoo.level[], CONSTRAINT alert_level_check CHECK (level <> 'high' OR id > 0));
ALTER TABLE zoo.item ADD COLUMN level zoo.level;

-- +goose Down
ALTER TABLE zoo.item DROP COLUMN level;
DROP TABLE zoo.alert;
DROP TYPE zoo.level;
