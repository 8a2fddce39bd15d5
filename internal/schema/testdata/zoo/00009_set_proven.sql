-- +goose Up
-- The valid check proves it: nothing is read.
-- Class: R0
-- Up: ACCESS EXCLUSIVE on zoo.item
-- Down: ACCESS EXCLUSIVE on zoo.item
alter table zoo.item alter column price set not null;

-- +goose Down
alter table zoo.item alter column price drop not null;
