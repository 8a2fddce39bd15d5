-- +goose Up
-- Class: R0
-- Up: SHARE on zoo.part, reads all of it
-- Down: ACCESS EXCLUSIVE on zoo.part
create index part_weight_idx on zoo.part (weight);

-- +goose Down
drop index zoo.part_weight_idx;
