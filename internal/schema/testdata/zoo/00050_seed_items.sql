-- +goose Up
-- Its own rows; the keys that refer to item are looked up under ROW SHARE.
-- Class: R0
-- Up: ROW EXCLUSIVE on zoo.item
-- Down: ROW EXCLUSIVE on zoo.item
insert into zoo.item (name, size, price) values ('first', 1, 1), ('second', 2, 2);

-- +goose Down
delete from zoo.item where name in ('first', 'second');
