-- +goose Up
-- What it holds is made anew from the others.
-- Class: R0
-- Up: ACCESS EXCLUSIVE on zoo.item, rewrites it
-- Down: ACCESS EXCLUSIVE on zoo.item
alter table zoo.item add column double bigint generated always as (size * 2) stored;

-- +goose Down
alter table zoo.item drop column double;
