-- +goose Up
-- portaldb:nolint transaction-control: we know what we do -- want nolint
COMMIT; -- want transaction-control

-- +goose Down
SELECT;
