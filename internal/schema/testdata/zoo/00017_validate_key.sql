-- +goose Up
-- Class: R0
-- Up: SHARE UPDATE EXCLUSIVE on zoo.child, reads all of it
-- Down: ACCESS EXCLUSIVE on zoo.child; ACCESS EXCLUSIVE on zoo.item
-- Down: SHARE ROW EXCLUSIVE on zoo.child; SHARE ROW EXCLUSIVE on zoo.item
alter table zoo.child validate constraint child_item_id_fkey;

-- +goose Down
alter table zoo.child drop constraint child_item_id_fkey;
alter table zoo.child add constraint child_item_id_fkey foreign key (item_id) references zoo.item (id) not valid;
