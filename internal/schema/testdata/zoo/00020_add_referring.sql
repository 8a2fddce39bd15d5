-- +goose Up
-- The new column is null: nothing is read.
-- Class: R1
-- Up: SHARE ROW EXCLUSIVE on zoo.item; ACCESS EXCLUSIVE on zoo.part
-- Down: ACCESS EXCLUSIVE on zoo.item; ACCESS EXCLUSIVE on zoo.part
alter table zoo.part add column item_id bigint constraint part_item_id_fkey references zoo.item (id);

-- +goose Down
alter table zoo.part drop column item_id;
