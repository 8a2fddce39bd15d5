-- +goose Up
DELETE FROM public.notes WHERE id IN (SELECT id FROM public.notes WHERE source IS NULL LIMIT 1000);

-- +goose Down
SELECT;
