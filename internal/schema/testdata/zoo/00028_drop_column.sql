-- +goose Up
-- Class: R0
-- Lost: zoo.item
-- Up: ACCESS EXCLUSIVE on zoo.item
-- Down: ACCESS EXCLUSIVE on zoo.item
alter table zoo.item drop column note;

-- +goose Down
alter table zoo.item add column note varchar;
