-- +goose Up
-- Class: R0
-- Up: ACCESS EXCLUSIVE on zoo.part
-- Down: ACCESS EXCLUSIVE on zoo.part, rewrites it
alter table zoo.part alter column weight type numeric(12, 2);

-- +goose Down
alter table zoo.part alter column weight type numeric(10, 2);
