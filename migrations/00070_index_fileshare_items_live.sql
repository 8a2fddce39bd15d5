-- +goose NO TRANSACTION
-- +goose Up
-- Why:   lists of the files that are there, without stepping over the deleted ones, which are nearly
--        all after a while.
-- Locks: as 00069.
-- Down:  as 00069; lists become slow.
CREATE INDEX CONCURRENTLY fileshare_items_live_idx
    ON public.fileshare_items (created_at DESC, id DESC)
    WHERE deleted_at IS NULL;

-- +goose Down
DROP INDEX CONCURRENTLY public.fileshare_items_live_idx;
