-- +goose Up
-- Why:   how many bytes were asked for to go on with a download, so that what goes on for ever counts
--        as another one in the end. Downloads of all files are remembered from now on.
-- Locks: ACCESS EXCLUSIVE on file_downloads for an instant; no rewrite.
-- Down:  drops the column: downloads may go on without bound for a day.
ALTER TABLE service.file_downloads ADD COLUMN continued bigint NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE service.file_downloads DROP COLUMN continued;
