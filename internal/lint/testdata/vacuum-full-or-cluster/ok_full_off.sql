-- +goose NO TRANSACTION
-- +goose Up
VACUUM (FULL false, ANALYZE) public.notes;

-- +goose Down
SELECT;
