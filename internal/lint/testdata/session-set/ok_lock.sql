-- +goose Up
SELECT pg_advisory_xact_lock(1);

-- +goose Down
SELECT;
