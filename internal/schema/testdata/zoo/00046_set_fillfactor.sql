-- +goose Up
-- A Down that empties a table.
-- Class: R2
-- Lost: zoo.event
-- Up: SHARE UPDATE EXCLUSIVE on zoo.event
-- Down: ACCESS EXCLUSIVE on zoo.event
-- Down: SHARE UPDATE EXCLUSIVE on zoo.event
alter table zoo.event set (fillfactor = 90);

-- +goose Down
truncate zoo.event;
alter table zoo.event reset (fillfactor);
