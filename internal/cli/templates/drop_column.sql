trap: the release that runs now must not use it any more: drop it one release after the last that does
trap: up keeps nothing of what it drops: lint wants to know why that is right, in a comment on the statement, "-- portaldb:nolint drop-without-trash: REASON"
trap: Down can only make it again empty: its type, default and NOT NULL here are those of the effects; without those, give it its type
trap: the legacy start-up may put it back: look at migrations/testdata/legacy_startup.sql before dropping anything of its tables
-- +goose Up
-- Why:
-- Locks: ACCESS EXCLUSIVE on {{.Base}} for an instant.
-- Down:  adds the column again, empty.
ALTER TABLE {{.Table}} DROP COLUMN {{.Column}};

-- +goose Down
ALTER TABLE {{.Table}} ADD COLUMN {{.Column}} {{.Type}};
