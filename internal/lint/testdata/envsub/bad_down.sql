-- +goose Up
-- want-on 6 envsub
SELECT 1;

-- +goose Down
-- +goose ENVSUB ON
SELECT '${NOBODY:?set it}';
-- +goose ENVSUB OFF
