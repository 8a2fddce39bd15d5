-- +goose Up
-- Class: R0
-- Up: ACCESS EXCLUSIVE on zoo.measure; ACCESS EXCLUSIVE on zoo.measure_2026
-- Down: SHARE UPDATE EXCLUSIVE on zoo.measure; ACCESS EXCLUSIVE on zoo.measure_2026, reads all of it
alter table zoo.measure detach partition zoo.measure_2026;

-- +goose Down
alter table zoo.measure attach partition zoo.measure_2026 for values from ('2026-01-01') to ('2027-01-01');
