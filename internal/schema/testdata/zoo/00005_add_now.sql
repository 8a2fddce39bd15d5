-- +goose Up
-- Now() is stable: one value for all rows.
-- Class: R1
-- Up: ACCESS EXCLUSIVE on zoo.item
-- Down: ACCESS EXCLUSIVE on zoo.item
alter table zoo.item add column seen timestamptz default now();

-- +goose Down
alter table zoo.item drop column seen;
