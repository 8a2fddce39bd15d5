-- +goose Up
UPDATE public.notes SET source = 'x'; -- want unbatched-backfill

-- +goose Down
SELECT;
