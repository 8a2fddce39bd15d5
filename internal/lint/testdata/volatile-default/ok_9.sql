-- +goose Up
ALTER TABLE public.notes ADD COLUMN extra interval DEFAULT now() - statement_timestamp();

-- +goose Down
ALTER TABLE public.notes DROP COLUMN extra;
