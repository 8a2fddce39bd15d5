-- +goose Up
-- +goose ENVSUB OFF
SELECT '${HOME}'; -- ENVSUB ON

-- +goose Down
SELECT;
