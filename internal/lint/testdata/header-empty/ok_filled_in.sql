-- +goose Up
-- Why:   a note.
-- Locks: none.
-- Down:
--   drops the column and every value in it
ALTER TABLE public.notes ADD COLUMN kind text;

-- +goose Down
ALTER TABLE public.notes DROP COLUMN kind;
