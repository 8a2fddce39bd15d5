-- +goose Up
-- Class: R0
-- Up: ACCESS EXCLUSIVE on zoo.sizes, rewrites it
-- Down: ACCESS EXCLUSIVE on zoo.sizes, rewrites it
refresh materialized view zoo.sizes;

-- +goose Down
refresh materialized view zoo.sizes;
