-- +goose Up
DELETE FROM public.notes WHERE created_at < now() - interval '1 year'; -- want unbatched-backfill

-- +goose Down
SELECT;
