trap: this file builds the index; the next makes it the constraint, in an instant: ALTER TABLE {{.Table}} ADD CONSTRAINT {{.Name}} UNIQUE USING INDEX {{.Name}}
trap: two rows with the same value make the build fail: look for them first; up drops what it leaves and builds it again
trap: NULLs are all different, unless it says NULLS NOT DISTINCT
trap: the legacy service writes these tables too: a value twice is an error for it from now on
-- +goose NO TRANSACTION
-- +goose Up
-- Why:
-- Locks: SHARE UPDATE EXCLUSIVE on {{.Base}}: reads and writes go on, other DDL waits.
-- Down:  DROP INDEX CONCURRENTLY, which blocks nobody either; loses no data.
CREATE UNIQUE INDEX CONCURRENTLY {{.Name}} ON {{.Table}} ({{.Columns}});

-- +goose Down
DROP INDEX CONCURRENTLY {{.Space}}.{{.Name}};
