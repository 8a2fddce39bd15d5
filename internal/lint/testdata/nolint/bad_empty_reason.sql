-- +goose Up
-- want-on 4 nolint
-- next
-- portaldb:nolint drop-without-trash:
TRUNCATE public.notes; -- want drop-without-trash

-- +goose Down
SELECT;
