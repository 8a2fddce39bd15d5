-- +goose Up
DELETE FROM public.notes; -- want unbatched-backfill

-- +goose Down
SELECT;
