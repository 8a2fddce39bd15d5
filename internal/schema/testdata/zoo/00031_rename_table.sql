-- +goose Up
-- Class: R0
-- Up: ACCESS EXCLUSIVE on zoo.pair
-- Down: ACCESS EXCLUSIVE on zoo.couple
alter table zoo.pair rename to couple;

-- +goose Down
alter table zoo.couple rename to pair;
