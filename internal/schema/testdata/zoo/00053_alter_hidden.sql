-- +goose Up
-- Class: R0
-- Up: ACCESS EXCLUSIVE on zoo.item, rewrites it
-- Down: ACCESS EXCLUSIVE on zoo.item, rewrites it
-- +goose StatementBegin
do $$
begin
    execute 'alter table zoo.item alter column grade type bigint';
end
$$;
-- +goose StatementEnd

-- +goose Down
alter table zoo.item alter column grade type integer;
