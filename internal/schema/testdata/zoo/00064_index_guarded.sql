-- +goose Up
-- Refuses over rows, and is measured without.
-- Class: R0
-- Refused: down
-- Up: SHARE on zoo.part, reads all of it
-- Down: none
-- Down: ACCESS EXCLUSIVE on zoo.part
create index part_tallness_idx on zoo.part (tallness desc);

-- +goose Down
-- +goose StatementBegin
do $$
begin
    if exists (select from zoo.part) then
        raise exception 'there are % parts', (select count(*) from zoo.part);
    end if;
end
$$;
-- +goose StatementEnd
drop index zoo.part_tallness_idx;
