-- +goose Up
-- Class: R0
-- Up: SHARE UPDATE EXCLUSIVE on zoo.item
-- Down: SHARE UPDATE EXCLUSIVE on zoo.item
comment on table zoo.item is 'an item';

-- +goose Down
comment on table zoo.item is null;
