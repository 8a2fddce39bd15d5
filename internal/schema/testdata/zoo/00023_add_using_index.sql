-- +goose Up
-- Class: R0
-- Up: ACCESS EXCLUSIVE on zoo.item
-- Down: ACCESS EXCLUSIVE on zoo.item
-- Down: SHARE on zoo.item, reads all of it
alter table zoo.item add constraint item_name_key unique using index item_name_key;

-- +goose Down
alter table zoo.item drop constraint item_name_key;
create unique index item_name_key on zoo.item (name);
