-- +goose Up
CREATE TEMP TABLE picked (id bigint PRIMARY KEY) ON COMMIT DROP;
CREATE INDEX picked_idx ON picked (id);
CREATE TEMP TABLE more ON COMMIT DROP AS SELECT 1 AS id;

-- +goose Down
SELECT;
