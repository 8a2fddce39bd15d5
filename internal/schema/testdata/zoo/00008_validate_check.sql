-- +goose Up
-- Class: R0
-- Up: SHARE UPDATE EXCLUSIVE on zoo.item, reads all of it
-- Down: ACCESS EXCLUSIVE on zoo.item
-- Down: ACCESS EXCLUSIVE on zoo.item
alter table zoo.item validate constraint item_price_check;

-- +goose Down
alter table zoo.item drop constraint item_price_check;
alter table zoo.item add constraint item_price_check check (price is not null) not valid;
