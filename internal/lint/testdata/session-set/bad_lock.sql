-- +goose Up
SELECT pg_advisory_lock(1); -- want session-set
SELECT pg_catalog.pg_try_advisory_lock_shared(1, 2); -- want session-set

-- +goose Down
SELECT pg_advisory_lock(1); -- want session-set
