-- +goose Up
UPDATE public.notes SET source = 'x' WHERE 1 = 1; -- want unbatched-backfill
UPDATE public.notes SET source = 'x' WHERE coalesce(source, '') = ''; -- want unbatched-backfill
UPDATE public.notes SET source = 'x' WHERE (source IS NULL) = true; -- want unbatched-backfill
UPDATE public.notes SET source = 'x' WHERE id IN (SELECT id FROM public.notes LIMIT ALL); -- want unbatched-backfill
UPDATE public.notes SET source = 'x' WHERE id IN (SELECT id FROM public.notes LIMIT 5000000); -- want unbatched-backfill
UPDATE public.notes SET source = 'x' WHERE id > 0 AND id < 9e12; -- want unbatched-backfill
UPDATE public.notes SET source = 'x' WHERE id > 0 AND size < 9; -- want unbatched-backfill
UPDATE public.notes SET source = 'x' WHERE id BETWEEN -1 AND 9000000000; -- want unbatched-backfill
UPDATE public.notes SET source = 'x' WHERE id IN (SELECT max(id) FROM public.notes GROUP BY title); -- want unbatched-backfill

-- +goose Down
SELECT;
