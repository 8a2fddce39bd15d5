-- +goose Up
-- A shorter length has to be looked at in every row.
-- Class: R0
-- Up: ACCESS EXCLUSIVE on zoo.item
-- Up: ACCESS EXCLUSIVE on zoo.part
-- Down: ACCESS EXCLUSIVE on zoo.part, rewrites it
-- Down: ACCESS EXCLUSIVE on zoo.item
alter table zoo.item alter column note type varchar;
alter table zoo.part alter column code type text;

-- +goose Down
alter table zoo.part alter column code type varchar(10);
alter table zoo.item alter column note type text;
