-- +goose Up
-- Class: R0
-- Up: none
-- Down: none
-- +goose StatementBegin
create procedure zoo.backfill(value text) language plpgsql as $$
begin
    loop
        update zoo.event set note = value where id in (select id from zoo.event where note is distinct from value order by id limit 500);
        exit when not found;
        commit;
    end loop;
end
$$;
-- +goose StatementEnd

-- +goose Down
drop procedure zoo.backfill(text);
