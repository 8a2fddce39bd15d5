-- +goose Up
-- Class: R0
-- Up: ACCESS EXCLUSIVE on zoo.item, rewrites it
-- Down: ACCESS EXCLUSIVE on zoo.item, rewrites it
alter table zoo.item drop constraint item_size_check, alter column size type bigint;

-- +goose Down
alter table zoo.item alter column size type integer, add constraint item_size_check check (size > -1000000);
