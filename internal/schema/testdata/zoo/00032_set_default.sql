-- +goose Up
-- Class: R0
-- Up: ACCESS EXCLUSIVE on zoo.item
-- Down: ACCESS EXCLUSIVE on zoo.item
alter table zoo.item alter column color set default 'red';

-- +goose Down
alter table zoo.item alter column color drop default;
