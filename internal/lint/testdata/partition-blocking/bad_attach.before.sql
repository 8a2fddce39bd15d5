-- +goose Up
CREATE TABLE public.days (day date NOT NULL, name text) PARTITION BY RANGE (day);
CREATE TABLE public.days_1 PARTITION OF public.days FOR VALUES FROM ('2031-01-01') TO ('2031-01-02');
CREATE TABLE public.days_2 (day date NOT NULL, name text, CONSTRAINT days_2_day CHECK (day >= '2031-01-02' AND day < '2031-01-03'));
CREATE TABLE public.days_3 (day date NOT NULL, name text);
CREATE INDEX days_day_idx ON public.days (day);

-- +goose Down
DROP TABLE public.days_3, public.days_2, public.days;
