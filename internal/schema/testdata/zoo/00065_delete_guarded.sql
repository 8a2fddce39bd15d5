-- +goose Up
-- What it would delete cannot be seen where there are no rows.
-- Class: R2
-- Refused: down
-- Up: SHARE on zoo.leaf, reads all of it
-- Down: ROW EXCLUSIVE on zoo.leaf
-- Down: ACCESS EXCLUSIVE on zoo.leaf
create index leaf_mid_id_idx on zoo.leaf (mid_id);

-- +goose Down
-- +goose StatementBegin
do $$
begin
    if exists (select from zoo.leaf where id > 0) then
        raise exception 'there are leaves';
    end if;
    delete from zoo.leaf where id = 0;
end
$$;
-- +goose StatementEnd
drop index zoo.leaf_mid_id_idx;
