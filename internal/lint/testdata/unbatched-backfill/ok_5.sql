-- +goose Up
UPDATE public.notes SET source = 'x' WHERE id = ANY (ARRAY[1, 2]) AND source IS NULL;

-- +goose Down
SELECT;
