-- +goose NO TRANSACTION
-- +goose Up
-- Class: R0
-- Up: SHARE UPDATE EXCLUSIVE on zoo.part
-- Down: SHARE UPDATE EXCLUSIVE on zoo.part, reads all of it
drop index concurrently zoo.part_weight_idx;

-- +goose Down
create index concurrently part_weight_idx on zoo.part (weight);
