-- +goose Up
-- Class: R0
-- Up: ACCESS EXCLUSIVE on zoo.part, reads all of it
-- Down: ACCESS EXCLUSIVE on zoo.part
alter table zoo.part add constraint part_code_key unique (code);

-- +goose Down
alter table zoo.part drop constraint part_code_key;
