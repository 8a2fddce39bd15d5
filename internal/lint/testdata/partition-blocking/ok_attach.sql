-- +goose Up
ALTER TABLE public.days ATTACH PARTITION public.days_2 FOR VALUES FROM ('2031-01-02') TO ('2031-01-03');
CREATE TABLE public.days_4 (day date NOT NULL, name text);
ALTER TABLE public.days ATTACH PARTITION public.days_4 FOR VALUES FROM ('2031-01-04') TO ('2031-01-05');

-- +goose Down
ALTER TABLE public.days DETACH PARTITION public.days_2;
DROP TABLE public.days_4;
