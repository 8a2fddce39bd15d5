-- +goose Up
-- Class: R0
-- Up: ACCESS EXCLUSIVE on zoo.colors
-- Down: none
drop view zoo.colors;

-- +goose Down
create view zoo.colors as select id, color, size from zoo.item;
