-- +goose Up
-- Why:    citext makes users.email and org_units.name compare without case; pgcrypto is what the
--         legacy scripts ask for. All files name their schema, so that a search_path set on a
--         role cannot send the tables elsewhere.
-- Exists: where only a superuser may create extensions, a DBA has done it before.
-- Locks:  none that waits.
-- Down:   drops both; refuses where a DBA owns them, and while a column still uses citext.
CREATE EXTENSION IF NOT EXISTS pgcrypto WITH SCHEMA public;
CREATE EXTENSION IF NOT EXISTS citext WITH SCHEMA public;

-- +goose Down
DROP EXTENSION citext;
DROP EXTENSION pgcrypto;
