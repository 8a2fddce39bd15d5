-- want unreadable-file
-- +goose Up
ALTER TABLE public.notes ADD COLUMN kind text

-- +goose Down
SELECT;
