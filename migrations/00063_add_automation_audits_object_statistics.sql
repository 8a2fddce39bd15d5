-- +goose Up
-- Why:   how many events an object has: 00051 for the other keys. Their indexes are partial, so the
--        planner does not look at the statistics of these. ANALYZE because statistics are empty
--        until then.
-- Cost:  none for a row inserted; ANALYZE takes longer by as much as with 00051 for each of three.
-- Locks: SHARE UPDATE EXCLUSIVE on automation_audits while ANALYZE reads its sample: reads and
--        writes go on, other DDL waits.
-- Down:  takes the same for an instant; loses no data, lists by object may become slow.
CREATE STATISTICS public.automation_audits_object_stats
    ON (left(coalesce(meta ->> 'submissionId', meta ->> 'submission_id', meta ->> 'target_id', meta ->> 'task_id', meta ->> 'alert_id'), 100))
    FROM public.automation_audits;
CREATE STATISTICS public.automation_audits_user_id_stats
    ON (left(meta ->> 'user_id', 100)) FROM public.automation_audits;
CREATE STATISTICS public.automation_audits_session_id_stats
    ON (left(meta ->> 'session_id', 100)) FROM public.automation_audits;
ANALYZE public.automation_audits;

-- +goose Down
DROP STATISTICS public.automation_audits_object_stats;
DROP STATISTICS public.automation_audits_user_id_stats;
DROP STATISTICS public.automation_audits_session_id_stats;
