-- +goose Up
-- Class: R3
-- Up: none
-- irreversible: PostgreSQL cannot take a value from an enum
alter type zoo.mood add value 'curious';

-- +goose Down
-- +goose StatementBegin
do $$ begin raise exception 'irreversible: PostgreSQL cannot take a value from an enum'; end $$;
-- +goose StatementEnd
