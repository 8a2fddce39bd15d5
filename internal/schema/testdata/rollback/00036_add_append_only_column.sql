-- +goose Up
ALTER TABLE zoo.trail ADD COLUMN meta jsonb;

-- +goose Down
ALTER TABLE zoo.trail DROP COLUMN meta;
