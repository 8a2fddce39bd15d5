trap: name the schema and every constraint; driver errors are told apart by constraint names
trap: timestamptz, text, bigint, jsonb; an identity column instead of serial
trap: a foreign key locks the table that it refers to for a moment, and wants an index on its own columns
-- +goose Up
-- Why:
-- Locks: none that waits: the table is new.
-- Down:  drops the table, and with it every row.
CREATE TABLE {{.Table}} (
    id         bigint      GENERATED ALWAYS AS IDENTITY,
    created_at timestamptz NOT NULL DEFAULT now(),

    CONSTRAINT {{.Base}}_pkey PRIMARY KEY (id)
);

-- +goose Down
DROP TABLE {{.Table}};
