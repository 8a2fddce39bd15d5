-- +goose NO TRANSACTION
-- +goose Up
-- Class: R0
-- Up: SHARE UPDATE EXCLUSIVE on zoo.item, reads all of it
-- Down: SHARE UPDATE EXCLUSIVE on zoo.item
create unique index concurrently item_name_key on zoo.item (name);

-- +goose Down
drop index concurrently zoo.item_name_key;
