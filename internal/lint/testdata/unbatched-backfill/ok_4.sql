-- +goose Up
UPDATE public.notes SET source = 'x' WHERE id >= 1 AND id < 1000;

-- +goose Down
SELECT;
