-- +goose Up
-- Class: R0
-- Up: SHARE ROW EXCLUSIVE on zoo.item; SHARE ROW EXCLUSIVE on zoo.pair, reads all of it
-- Down: ACCESS EXCLUSIVE on zoo.item; ACCESS EXCLUSIVE on zoo.pair
alter table zoo.pair add constraint pair_item_id_fkey foreign key (item_id) references zoo.item (id);

-- +goose Down
alter table zoo.pair drop constraint pair_item_id_fkey;
