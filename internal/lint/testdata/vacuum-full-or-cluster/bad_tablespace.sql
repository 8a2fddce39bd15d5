-- +goose Up
ALTER TABLE public.notes SET TABLESPACE fast; -- want vacuum-full-or-cluster

-- +goose Down
ALTER TABLE public.notes SET TABLESPACE fast; -- want vacuum-full-or-cluster
