-- +goose NO TRANSACTION
-- +goose Up
-- Why:   00070 for the files of one owner.
-- Locks: as 00069.
-- Down:  as 00069; lists of an owner become slow.
CREATE INDEX CONCURRENTLY fileshare_items_live_owner_id_idx
    ON public.fileshare_items (owner_id, created_at DESC, id DESC)
    WHERE deleted_at IS NULL;

-- +goose Down
DROP INDEX CONCURRENTLY public.fileshare_items_live_owner_id_idx;
