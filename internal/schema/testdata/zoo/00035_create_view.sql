-- +goose Up
-- Class: R0
-- Up: none
-- Down: ACCESS EXCLUSIVE on zoo.colors
create view zoo.colors as select id, color from zoo.item;

-- +goose Down
drop view zoo.colors;
