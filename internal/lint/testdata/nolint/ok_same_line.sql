-- +goose Up
TRUNCATE public.notes; -- portaldb:nolint drop-without-trash: rows of a test

-- +goose Down
SELECT;
