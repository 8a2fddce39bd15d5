-- +goose Up
UPDATE public.notes SET source = 'x' WHERE id = (SELECT max(id) FROM public.notes);
UPDATE public.notes SET source = 'x' WHERE (id, source) = (1, 'z');
UPDATE public.notes SET source = 'x' WHERE (id, source) IN ((1, 'z'), (2, 'y'));
UPDATE public.notes SET source = 'x' WHERE -1 = id;
UPDATE public.notes SET source = 'x' WHERE id BETWEEN -10 AND 10;
UPDATE public.notes SET source = 'x' WHERE created_at >= '2031-01-01' AND created_at < '2031-01-02'::timestamptz;

-- +goose Down
SELECT;
