-- +goose Up
-- Class: R3
-- Lost: zoo.child
-- Up: ROW EXCLUSIVE on zoo.child, reads all of it
-- irreversible: the rows are gone
delete from zoo.child where item_id % 2 = 0;

-- +goose Down
-- +goose StatementBegin
do $$ begin raise exception 'irreversible: the rows are gone'; end $$;
-- +goose StatementEnd
