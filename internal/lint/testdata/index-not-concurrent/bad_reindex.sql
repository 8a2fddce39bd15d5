-- +goose Up
REINDEX TABLE public.notes; -- want index-not-concurrent

-- +goose Down
SELECT;
