-- +goose Up
-- The Up does not put the same row in again.
-- Class: R2
-- Up: ROW EXCLUSIVE on zoo.event
-- Down: ROW EXCLUSIVE on zoo.event
insert into zoo.event (id, note) values (-1, gen_random_uuid()::text);

-- +goose Down
delete from zoo.event where id = -1;
