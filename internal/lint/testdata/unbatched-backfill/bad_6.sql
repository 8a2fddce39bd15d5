-- +goose Up
UPDATE public.notes SET source = 'x' WHERE id = 1 OR source IS NULL; -- want unbatched-backfill

-- +goose Down
SELECT;
