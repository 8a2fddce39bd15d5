-- +goose Up
-- Why:   the SHA-256 of the bytes, taken while they were stored, by which damage shows. NULL for the
--        files of the legacy code, which takes none.
-- Locks: ACCESS EXCLUSIVE on fileshare_items for an instant; no rewrite.
-- Down:  drops the column: bytes can be compared by their number only.
ALTER TABLE public.fileshare_items ADD COLUMN sha256 bytea;

-- +goose Down
ALTER TABLE public.fileshare_items DROP COLUMN sha256;
