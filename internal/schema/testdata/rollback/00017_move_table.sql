-- +goose Up
CREATE SCHEMA annex;
ALTER TABLE zoo.newest_name SET SCHEMA annex;

-- +goose Down
ALTER TABLE annex.newest_name SET SCHEMA zoo;
DROP SCHEMA annex;
