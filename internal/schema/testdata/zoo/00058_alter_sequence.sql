-- +goose Up
-- Class: R2
-- Up: SHARE ROW EXCLUSIVE on zoo.counter
-- Down: SHARE ROW EXCLUSIVE on zoo.counter
alter sequence zoo.counter increment 2;

-- +goose Down
alter sequence zoo.counter increment 1 restart;
