-- +goose NO TRANSACTION
-- +goose Up
-- Why:   the sweeper's work: deleted files whose bytes may still be there, those first that wait
--        longest. Done work leaves the index, so it stays small however many files there were.
-- Locks: SHARE UPDATE EXCLUSIVE on fileshare_items: reads and writes go on, other DDL waits, and it
--        waits for transactions older than itself.
-- Down:  DROP INDEX CONCURRENTLY, which blocks nobody either; loses no data, the sweeper becomes
--        slow.
CREATE INDEX CONCURRENTLY fileshare_items_unpurged_idx
    ON public.fileshare_items (deleted_at, id)
    WHERE deleted_at IS NOT NULL AND purged_at IS NULL;

-- +goose Down
DROP INDEX CONCURRENTLY public.fileshare_items_unpurged_idx;
