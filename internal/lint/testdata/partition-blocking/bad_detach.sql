-- +goose Up
ALTER TABLE public.days DETACH PARTITION public.days_1; -- want partition-blocking

-- +goose Down
ALTER TABLE public.days ATTACH PARTITION public.days_1 FOR VALUES FROM ('2031-01-01') TO ('2031-01-02');
