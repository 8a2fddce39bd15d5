-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLESPACE fast LOCATION '/fast'; -- want cluster-wide

-- +goose Down
DROP TABLESPACE fast; -- want cluster-wide
