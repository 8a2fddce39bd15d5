-- +goose Up
-- Class: R1
-- Up: ACCESS EXCLUSIVE on zoo.item
-- Down: ACCESS EXCLUSIVE on zoo.item
alter table zoo.item add column hidden text;

-- +goose Down
-- +goose StatementBegin
do $$
begin
    execute 'alter table zoo.item drop column hidden';
end
$$;
-- +goose StatementEnd
