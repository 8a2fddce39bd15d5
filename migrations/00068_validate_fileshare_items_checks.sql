-- +goose Up
-- Why:   the constraints of 00067 hold for the rows from before them too.
-- Locks: SHARE UPDATE EXCLUSIVE on fileshare_items while it is read: reads and writes go on, other
--        DDL waits.
-- Down:  takes ACCESS EXCLUSIVE for an instant; loses no data, the constraints go on for new rows.
ALTER TABLE public.fileshare_items
    VALIDATE CONSTRAINT fileshare_items_sha256_check,
    VALIDATE CONSTRAINT fileshare_items_max_downloads_check;

-- +goose Down
ALTER TABLE public.fileshare_items
    DROP CONSTRAINT fileshare_items_sha256_check,
    DROP CONSTRAINT fileshare_items_max_downloads_check,
    ADD CONSTRAINT fileshare_items_sha256_check CHECK (octet_length(sha256) = 32) NOT VALID,
    ADD CONSTRAINT fileshare_items_max_downloads_check CHECK (max_downloads > 0) NOT VALID;
