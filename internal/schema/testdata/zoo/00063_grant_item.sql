-- +goose Up
-- Class: R0
-- Up: none
-- Down: none
grant select on zoo.item to public;

-- +goose Down
revoke select on zoo.item from public;
