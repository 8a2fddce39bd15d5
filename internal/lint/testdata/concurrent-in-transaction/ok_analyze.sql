-- +goose Up
ANALYZE public.notes;

-- +goose Down
SELECT;
