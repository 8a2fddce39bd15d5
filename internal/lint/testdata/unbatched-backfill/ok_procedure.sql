-- +goose NO TRANSACTION
-- +goose Up
CALL public.notes_backfill();

-- +goose Down
SELECT;
