-- +goose Up
CREATE TABLE zoo.hidden (id integer CONSTRAINT hidden_pkey PRIMARY KEY, name text, doubled integer GENERATED ALWAYS AS (id * 2) STORED);

-- +goose Down
-- +goose StatementBegin
DO $$ BEGIN EXECUTE 'DROP TABLE zoo.' || 'hidden'; END $$;
-- +goose StatementEnd
