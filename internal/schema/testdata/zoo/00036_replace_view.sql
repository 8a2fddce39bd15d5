-- +goose Up
-- Class: R0
-- Up: ACCESS EXCLUSIVE on zoo.colors
-- Down: ACCESS EXCLUSIVE on zoo.colors
-- Down: none
create or replace view zoo.colors as select id, color, size from zoo.item;

-- +goose Down
drop view zoo.colors;
create view zoo.colors as select id, color from zoo.item;
