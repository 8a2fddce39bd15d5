-- +goose Up
-- Generated rows do not hold for it; measured without them, the table is read all the same.
-- Class: R0
-- Refused: up
-- Up: ACCESS EXCLUSIVE on zoo.leaf, reads all of it
-- Down: ACCESS EXCLUSIVE on zoo.leaf
alter table zoo.leaf add constraint leaf_id_check check (id > 1000000);

-- +goose Down
alter table zoo.leaf drop constraint leaf_id_check;
