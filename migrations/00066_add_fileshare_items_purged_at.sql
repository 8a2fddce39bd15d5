-- +goose Up
-- Why:   when the bytes of a deleted file were found gone, so that nobody looks for them again.
-- Locks: ACCESS EXCLUSIVE on fileshare_items for an instant; no rewrite.
-- Down:  drops the column: after the next Up the bytes of every deleted file are looked for once
--        more.
ALTER TABLE public.fileshare_items ADD COLUMN purged_at timestamptz;

-- +goose Down
ALTER TABLE public.fileshare_items DROP COLUMN purged_at;
