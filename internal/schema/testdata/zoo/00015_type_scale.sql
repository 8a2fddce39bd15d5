-- +goose Up
-- Values have other digits.
-- Class: R1
-- Up: ACCESS EXCLUSIVE on zoo.part, rewrites it
-- Down: ACCESS EXCLUSIVE on zoo.part, rewrites it
alter table zoo.part alter column height type numeric(12, 4);

-- +goose Down
alter table zoo.part alter column height type numeric(10, 2);
