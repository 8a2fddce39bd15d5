-- +goose Up
-- Its check proves that every row fits.
-- Class: R0
-- Up: SHARE UPDATE EXCLUSIVE on zoo.measure; ACCESS EXCLUSIVE on zoo.measure_2020
-- Down: ACCESS EXCLUSIVE on zoo.measure; ACCESS EXCLUSIVE on zoo.measure_2020
alter table zoo.measure attach partition zoo.measure_2020 for values from ('2020-01-01') to ('2021-01-01');

-- +goose Down
alter table zoo.measure detach partition zoo.measure_2020;
