-- +goose Up
CREATE ROLE reader; -- want cluster-wide
CREATE USER app; -- want cluster-wide
ALTER ROLE reader NOLOGIN; -- want cluster-wide
ALTER ROLE app SET work_mem = '1MB'; -- want cluster-wide
ALTER ROLE reader RENAME TO readers; -- want cluster-wide
DROP OWNED BY app; -- want cluster-wide
ALTER DATABASE portal SET work_mem = '1MB'; -- want cluster-wide

-- +goose Down
DROP USER app; -- want cluster-wide
DROP ROLE reader; -- want cluster-wide
