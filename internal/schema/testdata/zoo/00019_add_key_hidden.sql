-- +goose Up
-- An index can serve the validation, and the table is read all the same.
-- Class: R0
-- Up: SHARE on zoo.pair, reads all of it
-- Up: ACCESS EXCLUSIVE on zoo.item; ACCESS EXCLUSIVE on zoo.pair, reads all of it
-- Down: ACCESS EXCLUSIVE on zoo.pair
create index pair_item_id_idx on zoo.pair (item_id);
-- +goose StatementBegin
do $$
begin
    alter table zoo.pair drop constraint pair_item_id_fkey;
    alter table zoo.pair add constraint pair_item_id_fkey foreign key (item_id) references zoo.item (id);
end
$$;
-- +goose StatementEnd

-- +goose Down
drop index zoo.pair_item_id_idx;
