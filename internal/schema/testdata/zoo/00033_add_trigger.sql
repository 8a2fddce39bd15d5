-- +goose Up
-- Class: R0
-- Up: none
-- Up: SHARE ROW EXCLUSIVE on zoo.item
-- Down: ACCESS EXCLUSIVE on zoo.item
-- Down: none
-- +goose StatementBegin
create function zoo.keep() returns trigger language plpgsql as $$
begin
    return new;
end
$$;
-- +goose StatementEnd
create trigger item_keep before update on zoo.item for each row execute function zoo.keep();

-- +goose Down
drop trigger item_keep on zoo.item;
drop function zoo.keep();
