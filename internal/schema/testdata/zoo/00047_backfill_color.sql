-- +goose Up
-- Class: R2
-- Lost: zoo.item
-- Up: ROW EXCLUSIVE on zoo.item, reads all of it
-- Down: ROW EXCLUSIVE on zoo.item, reads all of it
update zoo.item set color = 'blue';

-- +goose Down
update zoo.item set color = null;
