-- +goose Up
-- By its key: no scan.
-- Class: R2
-- Lost: zoo.item
-- Up: ROW EXCLUSIVE on zoo.item
-- Down: ROW EXCLUSIVE on zoo.item
update zoo.item set grade = 8 where id = 1;

-- +goose Down
update zoo.item set grade = 7 where id = 1;
