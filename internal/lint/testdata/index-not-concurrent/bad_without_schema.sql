-- +goose Up
CREATE UNIQUE INDEX notes_title_idx ON notes (title); -- want index-not-concurrent

-- +goose Down
DROP INDEX notes_title_idx; -- want drop-index-blocking
