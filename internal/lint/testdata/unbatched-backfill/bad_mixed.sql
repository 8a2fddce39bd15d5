-- +goose Up
UPDATE public.notes SET source = 'x' WHERE id = 1; -- want unbatched-backfill
ALTER TABLE public.notes ADD COLUMN kind text;

-- +goose Down
ALTER TABLE public.notes DROP COLUMN kind;
