-- +goose Up
-- Class: R0
-- Up: ACCESS EXCLUSIVE on zoo.item
-- Up: ACCESS EXCLUSIVE on zoo.item
-- Down: ACCESS EXCLUSIVE on zoo.item
-- Down: ACCESS EXCLUSIVE on zoo.item
alter table zoo.item enable row level security;
create policy item_own on zoo.item for select using (name = current_user);

-- +goose Down
drop policy item_own on zoo.item;
alter table zoo.item disable row level security;
