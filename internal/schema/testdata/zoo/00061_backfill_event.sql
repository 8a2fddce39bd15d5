-- +goose NO TRANSACTION
-- +goose Up
-- Outside a transaction no lock is seen, but that the rows differ.
-- Class: R2
-- Lost: zoo.event
-- Up: ROW EXCLUSIVE on zoo.event
-- Down: ROW EXCLUSIVE on zoo.event
call zoo.backfill('new');

-- +goose Down
call zoo.backfill('old');
