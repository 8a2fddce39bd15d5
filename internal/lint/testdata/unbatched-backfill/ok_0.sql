-- +goose Up
UPDATE public.notes SET source = 'x' WHERE id = 1;

-- +goose Down
SELECT;
