-- +goose Up
CLUSTER public.notes USING notes_pkey; -- want vacuum-full-or-cluster

-- +goose Down
SELECT;
