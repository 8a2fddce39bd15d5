-- +goose Up
ALTER TABLE public.notes DETACH PARTITION public.notes_2030 CONCURRENTLY; -- want concurrent-in-transaction

-- +goose Down
SELECT;
