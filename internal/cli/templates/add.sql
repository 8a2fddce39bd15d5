trap: the code that runs now inserts without the column: nullable, or with a constant default
trap: a default that differs by row (random(), gen_random_uuid(), clock_timestamp(), a sequence) writes the whole table anew under a lock that keeps readers out
trap: NOT NULL later, in files of their own: a CHECK (... IS NOT NULL) NOT VALID, its VALIDATE, then SET NOT NULL
trap: lists in queries/ name their columns: add it there, then make generate
-- +goose Up
-- Why:
-- Locks: ACCESS EXCLUSIVE on {{.Base}} for an instant; no rewrite.
-- Down:  drops the column and every value in it; portaldb rollback keeps them, goose does not.
ALTER TABLE {{.Table}} ADD COLUMN {{.Column}} text;

-- +goose Down
ALTER TABLE {{.Table}} DROP COLUMN {{.Column}};
