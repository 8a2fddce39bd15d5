-- +goose Up
-- Why:   the new columns hold what they say. The legacy code never writes them.
-- Locks: ACCESS EXCLUSIVE on fileshare_items for an instant: rows that exist are looked at by the
--        next file.
-- Down:  drops the constraints; loses no data.
ALTER TABLE public.fileshare_items
    ADD CONSTRAINT fileshare_items_sha256_check CHECK (octet_length(sha256) = 32) NOT VALID,
    ADD CONSTRAINT fileshare_items_max_downloads_check CHECK (max_downloads > 0) NOT VALID;

-- +goose Down
ALTER TABLE public.fileshare_items
    DROP CONSTRAINT fileshare_items_sha256_check,
    DROP CONSTRAINT fileshare_items_max_downloads_check;
