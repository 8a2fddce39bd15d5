-- +goose Up
-- portaldb:nolint breaks-previous-release: that release is nowhere any more
ALTER TABLE public.notes ADD COLUMN kind text;

-- +goose Down
ALTER TABLE public.notes DROP COLUMN kind;
