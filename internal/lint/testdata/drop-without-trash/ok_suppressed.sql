-- +goose Up
-- portaldb:nolint drop-without-trash: unused since the release before, copied to the archive
ALTER TABLE public.notes DROP COLUMN title;

-- +goose Down
ALTER TABLE public.notes ADD COLUMN title text;
