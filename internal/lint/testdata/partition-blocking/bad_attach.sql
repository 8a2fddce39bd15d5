-- +goose Up
ALTER TABLE public.days ATTACH PARTITION public.days_2 FOR VALUES FROM ('2031-01-05') TO ('2031-01-06'); -- want partition-blocking
ALTER TABLE public.days ATTACH PARTITION public.days_3 FOR VALUES FROM ('2031-01-03') TO ('2031-01-04'); -- want partition-blocking

-- +goose Down
ALTER TABLE public.days DETACH PARTITION public.days_2;
ALTER TABLE public.days DETACH PARTITION public.days_3;
