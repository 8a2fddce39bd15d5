-- +goose Up
-- Class: R0
-- Up: none
-- Down: none
create or replace function zoo.one() returns integer language sql as 'select 1 + 0';

-- +goose Down
create or replace function zoo.one() returns integer language sql as 'select 1';
