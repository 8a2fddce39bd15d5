-- +goose Up
-- The numbers that were given out would be given again.
-- Class: R2
-- Up: none
-- Down: ACCESS EXCLUSIVE on zoo.ticket
create sequence zoo.ticket;

-- +goose Down
drop sequence zoo.ticket;
