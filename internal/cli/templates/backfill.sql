trap: one UPDATE of all rows locks them all until it ends, and doubles the table: batches that commit
trap: its own condition makes it resumable: a run that was killed goes on where it stopped
trap: triggers fire: updated_at of every row changes unless the table's trigger is told otherwise
trap: no DDL beside it: that would hold its lock all the while
-- +goose NO TRANSACTION
-- +goose Up
-- Why:
-- Locks: ROW EXCLUSIVE on {{.Base}}, and the rows of a batch until it commits.
-- Down:  leaves the values: nothing tells them from those that were written since.
-- +goose StatementBegin
DO $$
DECLARE
    batch   CONSTANT bigint := 100; -- blocks
    block   bigint;
    updated bigint;
    total   bigint;
BEGIN
    LOOP -- until a pass finds nothing: rows move while others write
        block := 0;
        total := 0;
        WHILE block * current_setting('block_size')::bigint < pg_relation_size('{{.Table}}') LOOP
            UPDATE {{.Table}} SET {{.Column}} = ''
            WHERE {{.Column}} IS NULL
              AND ctid >= format('(%s,0)', block)::tid AND ctid < format('(%s,0)', block + batch)::tid;
            GET DIAGNOSTICS updated = ROW_COUNT;
            COMMIT;
            total := total + updated;
            block := block + batch;
        END LOOP;
        EXIT WHEN total = 0;
    END LOOP;
END
$$;
-- +goose StatementEnd

-- +goose Down
SELECT 1;
