-- +goose Up
CREATE TABLE public.logs (at timestamptz) PARTITION BY RANGE (at);
CREATE TABLE public.logs_2030 PARTITION OF public.logs FOR VALUES FROM ('2030-01-01') TO ('2031-01-01');
CREATE SEQUENCE public.logs_seq OWNED BY public.logs.at;

-- +goose Down
DROP TABLE public.logs;
