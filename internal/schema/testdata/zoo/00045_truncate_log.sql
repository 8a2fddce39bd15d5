-- +goose Up
-- Class: R3
-- Lost: zoo.log
-- Up: ACCESS EXCLUSIVE on zoo.log
-- irreversible: the rows are gone
truncate zoo.log;

-- +goose Down
-- +goose StatementBegin
do $$ begin raise exception 'irreversible: the rows are gone'; end $$;
-- +goose StatementEnd
