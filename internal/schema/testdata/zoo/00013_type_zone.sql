-- +goose Up
-- No rewrite since runs have their time zone set to UTC; every value gets another text.
-- Class: R1
-- Up: ACCESS EXCLUSIVE on zoo.item
-- Down: ACCESS EXCLUSIVE on zoo.item
alter table zoo.item alter column at type timestamptz;

-- +goose Down
alter table zoo.item alter column at type timestamp;
