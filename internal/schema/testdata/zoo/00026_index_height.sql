-- +goose Up
-- Class: R0
-- Up: SHARE on zoo.part, reads all of it
-- Down: ACCESS EXCLUSIVE on zoo.part
create index part_height_idx on zoo.part (height);

-- +goose Down
drop index zoo.part_height_idx;
