-- +goose Up
REFRESH MATERIALIZED VIEW CONCURRENTLY public.sums;
CREATE MATERIALIZED VIEW public.counts AS SELECT count(*) FROM public.notes WITH NO DATA;
REFRESH MATERIALIZED VIEW public.counts;

-- +goose Down
DROP MATERIALIZED VIEW public.counts;
