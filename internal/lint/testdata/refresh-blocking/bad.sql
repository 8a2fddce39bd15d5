-- +goose Up
REFRESH MATERIALIZED VIEW public.sums; -- want refresh-blocking

-- +goose Down
REFRESH MATERIALIZED VIEW public.sums WITH NO DATA; -- want refresh-blocking
