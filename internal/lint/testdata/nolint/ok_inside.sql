-- +goose Up
ALTER TABLE public.notes
    ADD COLUMN kind text,
    -- portaldb:nolint required-column: the table is empty everywhere
    ADD COLUMN sort text NOT NULL;

-- +goose Down
ALTER TABLE public.notes DROP COLUMN sort, DROP COLUMN kind;
