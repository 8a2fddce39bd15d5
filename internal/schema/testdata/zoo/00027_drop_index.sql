-- +goose Up
-- Class: R0
-- Up: ACCESS EXCLUSIVE on zoo.part
-- Down: SHARE on zoo.part, reads all of it
drop index zoo.part_height_idx;

-- +goose Down
create index part_height_idx on zoo.part (height);
