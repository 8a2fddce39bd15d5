-- +goose Up
-- Class: R0
-- Up: ACCESS EXCLUSIVE on zoo.item, reads all of it
-- Down: ACCESS EXCLUSIVE on zoo.item
alter table zoo.item alter column size set not null;

-- +goose Down
alter table zoo.item alter column size drop not null;
