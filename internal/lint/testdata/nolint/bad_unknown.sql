-- +goose Up
-- portaldb:nolint drop-table: we know -- want nolint
TRUNCATE public.notes; -- want drop-without-trash

-- +goose Down
SELECT;
