-- +goose Up
-- Class: R1
-- Up: ACCESS EXCLUSIVE on zoo.item
-- Down: ACCESS EXCLUSIVE on zoo.item
alter table zoo.item add column grade integer not null default 7;

-- +goose Down
alter table zoo.item drop column grade;
