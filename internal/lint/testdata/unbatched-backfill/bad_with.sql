-- +goose Up
WITH gone AS (DELETE FROM public.notes RETURNING title) INSERT INTO public.users (email) SELECT title FROM gone; -- want unbatched-backfill
WITH changed AS (UPDATE public.notes SET size = 1 RETURNING 1) SELECT count(*) FROM changed; -- want unbatched-backfill

-- +goose Down
SELECT;
