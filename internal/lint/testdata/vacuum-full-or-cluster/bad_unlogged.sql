-- +goose Up
ALTER TABLE public.notes SET UNLOGGED; -- want vacuum-full-or-cluster

-- +goose Down
ALTER TABLE public.notes SET UNLOGGED; -- want vacuum-full-or-cluster
