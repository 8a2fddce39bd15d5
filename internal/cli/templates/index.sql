trap: CONCURRENTLY alone in a NO TRANSACTION file: without it writers wait until it is built
trap: no IF NOT EXISTS: it would take the invalid index of a run that died for the finished one
trap: it waits for every transaction that is older than itself, anywhere in the database
trap: an entry of a btree holds about 2,700 bytes: a longer value makes the INSERT fail
-- +goose NO TRANSACTION
-- +goose Up
-- Why:
-- Locks: SHARE UPDATE EXCLUSIVE on {{.Base}}: reads and writes go on, other DDL waits.
-- Down:  DROP INDEX CONCURRENTLY, which blocks nobody either; loses no data.
CREATE INDEX CONCURRENTLY {{.Name}} ON {{.Table}} ({{.Columns}});

-- +goose Down
DROP INDEX CONCURRENTLY {{.Space}}.{{.Name}};
