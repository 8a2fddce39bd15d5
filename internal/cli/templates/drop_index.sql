trap: CONCURRENTLY alone in a NO TRANSACTION file: without it everybody waits who reads or writes the table
trap: no release may need it: look at idx_scan in pg_stat_user_indexes, on replicas too, before it goes
trap: the index of a constraint goes with the constraint: ALTER TABLE ... DROP CONSTRAINT
trap: Down builds it again, which takes as long as it took; see that its definition is the one that it had
-- +goose NO TRANSACTION
-- +goose Up
-- Why:
-- Locks: SHARE UPDATE EXCLUSIVE on {{.Base}}: reads and writes go on, other DDL waits.
-- Down:  builds the index again beside running writers; loses no data.
DROP INDEX CONCURRENTLY {{.Space}}.{{.Name}};

-- +goose Down
CREATE {{.Unique}}INDEX CONCURRENTLY {{.Name}} {{.Index}};
