-- +goose Up
-- Class: R1
-- Up: ACCESS EXCLUSIVE on zoo.item, rewrites it
-- Down: ACCESS EXCLUSIVE on zoo.item
alter table zoo.item add column token uuid default gen_random_uuid();

-- +goose Down
alter table zoo.item drop column token;
