-- +goose Up
-- Class: R0
-- Up: SHARE UPDATE EXCLUSIVE on zoo.item
-- Down: SHARE UPDATE EXCLUSIVE on zoo.item
create statistics zoo.item_stats on name, size from zoo.item;

-- +goose Down
drop statistics zoo.item_stats;
