-- +goose Up
-- Class: R0
-- Up: SHARE on zoo.item
-- Down: EXCLUSIVE on zoo.item
lock table zoo.item in share mode;

-- +goose Down
lock table zoo.item in exclusive mode;
