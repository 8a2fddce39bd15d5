-- +goose Up
UPDATE public.notes SET source = u.email FROM public.users u WHERE u.id = author; -- want unbatched-backfill

-- +goose Down
SELECT;
