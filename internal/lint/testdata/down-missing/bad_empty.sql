-- +goose Up
ALTER TABLE public.notes ADD COLUMN kind text;

-- +goose Down
-- nothing to do
-- want-on 4 down-missing
