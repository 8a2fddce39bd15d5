-- +goose Up
-- Why:   old reports read audits, a read-only alias of audit_events (not of automation_audits).
--        The text is the one that the legacy start-up puts back with CREATE OR REPLACE.
-- Locks: ACCESS SHARE on audit_events.
-- Down:  loses nothing: a view holds no rows.
CREATE VIEW public.audits AS
SELECT
    id,
    at AS created_at,
    actor_user_id AS user_id,
    action,
    object_type,
    object_id,
    message,
    metadata
FROM public.audit_events;

-- +goose Down
DROP VIEW public.audits;
