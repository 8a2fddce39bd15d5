-- +goose Up
-- Why:   how often a file may be downloaded; NULL means any number. The legacy code does not look
--        at it: it counts its downloads, and refuses none.
-- Locks: ACCESS EXCLUSIVE on fileshare_items for an instant; no rewrite.
-- Down:  drops the column: files can be downloaded any number of times.
ALTER TABLE public.fileshare_items ADD COLUMN max_downloads integer;

-- +goose Down
ALTER TABLE public.fileshare_items DROP COLUMN max_downloads;
