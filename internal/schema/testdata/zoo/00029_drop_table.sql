-- +goose Up
-- The Down cannot bring the rows back, so its table has no rows and the Down is R0.
-- Class: R0
-- Lost: zoo.mid
-- Left: different constraint zoo.leaf.leaf_mid_id_fkey
-- Up: ACCESS EXCLUSIVE on zoo.item; ACCESS EXCLUSIVE on zoo.leaf; ACCESS EXCLUSIVE on zoo.mid
-- Down: SHARE ROW EXCLUSIVE on zoo.item
-- Down: SHARE ROW EXCLUSIVE on zoo.leaf
drop table zoo.mid cascade;

-- +goose Down
create table zoo.mid (id bigint primary key, item_id bigint constraint mid_item_id_fkey references zoo.item (id));
alter table zoo.leaf add constraint leaf_mid_id_fkey foreign key (mid_id) references zoo.mid (id) not valid;
