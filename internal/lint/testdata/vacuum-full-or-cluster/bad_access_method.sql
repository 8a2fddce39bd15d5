-- +goose Up
ALTER TABLE public.notes SET ACCESS METHOD heap; -- want vacuum-full-or-cluster

-- +goose Down
ALTER TABLE public.notes SET ACCESS METHOD heap; -- want vacuum-full-or-cluster
