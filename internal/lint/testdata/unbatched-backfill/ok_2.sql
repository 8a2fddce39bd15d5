-- +goose Up
UPDATE public.notes SET size = v.size FROM (VALUES (1, 2), (3, 4)) v (id, size) WHERE v.id = notes.id;

-- +goose Down
SELECT;
