-- +goose Up
-- Class: R0
-- Up: ACCESS EXCLUSIVE on zoo.part
-- Down: ACCESS EXCLUSIVE on zoo.part
alter table zoo.part rename column height to tallness;

-- +goose Down
alter table zoo.part rename column tallness to height;
