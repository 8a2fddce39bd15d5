-- +goose NO TRANSACTION
-- +goose Up
CREATE INDEX CONCURRENTLY item_note_idx ON zoo.item (note);

-- +goose Down
DROP INDEX CONCURRENTLY zoo.item_note_idx;
