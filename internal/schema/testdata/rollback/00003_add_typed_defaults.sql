-- +goose Up
ALTER TABLE zoo.typed ADD COLUMN state text NOT NULL DEFAULT 'new', ADD COLUMN at timestamptz NOT NULL DEFAULT now(), ADD COLUMN code uuid NOT NULL DEFAULT gen_random_uuid();

-- +goose Down
ALTER TABLE zoo.typed DROP COLUMN state, DROP COLUMN at, DROP COLUMN code;
