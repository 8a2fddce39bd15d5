-- +goose Up
-- Why:   what the service adds for itself stays apart from the portal's tables, so that neither
--        the legacy code nor its start-up ever meets it.
-- Locks: none that waits.
-- Down:  loses nothing; refuses while the schema holds anything.
CREATE SCHEMA service;

-- +goose Down
DROP SCHEMA service;
