trap: rows that a program needs, not those of a test: portaldb dev has seeds of its own
trap: ON CONFLICT DO NOTHING where somebody may have put the row in by hand
trap: Down takes out only what Up put in, and not from under rows that refer to it
-- +goose Up
-- Why:
-- Locks: ROW EXCLUSIVE on {{.Base}}: nobody waits.
-- Down:  takes the rows out again.
INSERT INTO {{.Table}} (name) VALUES ('...') ON CONFLICT DO NOTHING;

-- +goose Down
DELETE FROM {{.Table}} WHERE name IN ('...');
