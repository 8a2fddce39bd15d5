-- +goose Up
-- Its sequence goes with it.
-- Class: R1
-- Up: SHARE ROW EXCLUSIVE on zoo.item
-- Down: ACCESS EXCLUSIVE on zoo.item; ACCESS EXCLUSIVE on zoo.stock; ACCESS EXCLUSIVE on zoo.stock_id_seq
create table zoo.stock (id bigserial primary key, item_id bigint constraint stock_item_id_fkey references zoo.item (id));

-- +goose Down
drop table zoo.stock;
