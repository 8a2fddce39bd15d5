-- +goose Up
ALTER TABLE public.notes DROP CONSTRAINT notes_size_check; -- want drop-constraint-weakens

-- +goose Down
SELECT;
