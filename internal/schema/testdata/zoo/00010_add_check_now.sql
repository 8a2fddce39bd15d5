-- +goose Up
-- Class: R0
-- Up: ACCESS EXCLUSIVE on zoo.item, reads all of it
-- Down: ACCESS EXCLUSIVE on zoo.item
alter table zoo.item add constraint item_size_check check (size > -1000000);

-- +goose Down
alter table zoo.item drop constraint item_size_check;
