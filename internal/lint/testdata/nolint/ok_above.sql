-- +goose Up
-- portaldb:nolint drop-without-trash: rows of a test
-- portaldb:nolint work-while-locked: and small
TRUNCATE public.users, public.notes;

-- +goose Down
SELECT;
