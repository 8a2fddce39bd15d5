-- +goose Up
-- Class: R0
-- Up: ACCESS EXCLUSIVE on zoo.item
-- Down: ACCESS EXCLUSIVE on zoo.item
alter table zoo.item add constraint item_price_check check (price is not null) not valid;

-- +goose Down
alter table zoo.item drop constraint item_price_check;
