-- +goose Up
UPDATE public.notes SET source = 'x' WHERE source IS NULL; -- want unbatched-backfill

-- +goose Down
SELECT;
