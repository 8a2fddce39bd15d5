-- +goose Up
MERGE INTO public.notes n USING public.users u ON u.id = n.author WHEN MATCHED THEN UPDATE SET source = u.email; -- want unbatched-backfill

-- +goose Down
SELECT;
