-- +goose Up
-- Why:   citext makes users.email and org_units.name compare without case; pgcrypto is what the
--        legacy scripts ask for. IF NOT EXISTS because a DBA may have created them already: both
--        are trusted, but some servers let only a superuser do it. All files name their schema,
--        so that a search_path set on a role cannot send the tables elsewhere.
-- Locks: none that waits.
-- Down:  drops both, also where a DBA had made them, and refuses while a column still uses
--        citext.
CREATE EXTENSION IF NOT EXISTS pgcrypto WITH SCHEMA public;
CREATE EXTENSION IF NOT EXISTS citext WITH SCHEMA public;

-- +goose Down
DROP EXTENSION citext;
DROP EXTENSION pgcrypto;
