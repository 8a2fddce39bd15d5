-- +goose Up
-- portaldb:nolint rename: nobody asks for it -- want nolint
ALTER TABLE public.notes ADD COLUMN kind text;

-- +goose Down
ALTER TABLE public.notes DROP COLUMN kind;
