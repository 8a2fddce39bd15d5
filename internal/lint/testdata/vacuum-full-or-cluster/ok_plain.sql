-- +goose NO TRANSACTION
-- +goose Up
VACUUM (ANALYZE) public.notes;

-- +goose Down
SELECT;
