-- +goose Up
-- Why:   a note.
-- Locks:
-- Down:
--   drops the column and every value in it
ALTER TABLE public.notes ADD COLUMN kind text;
-- want-on 3 header-empty

-- +goose Down
ALTER TABLE public.notes DROP COLUMN kind;
