-- +goose Up
ALTER TABLE public.notes SET LOGGED; -- want vacuum-full-or-cluster

-- +goose Down
ALTER TABLE public.notes SET LOGGED; -- want vacuum-full-or-cluster
