-- +goose Up
-- Class: R0
-- Up: SHARE ROW EXCLUSIVE on zoo.child; SHARE ROW EXCLUSIVE on zoo.item
-- Down: ACCESS EXCLUSIVE on zoo.child; ACCESS EXCLUSIVE on zoo.item
alter table zoo.child add constraint child_item_id_fkey foreign key (item_id) references zoo.item (id) not valid;

-- +goose Down
alter table zoo.child drop constraint child_item_id_fkey;
