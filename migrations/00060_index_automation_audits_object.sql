-- +goose NO TRANSACTION
-- +goose Up
-- Why:   the trail of one object that is named otherwise than by sid, which has an index already.
--        Automations use one of these names each, so the first that is there serves for all five and
--        an event costs one entry. left() as in 00045: an entry over about 2.7 kB would make an
--        insert of the legacy code fail.
-- Locks: SHARE UPDATE EXCLUSIVE on automation_audits: reads and writes go on, other DDL waits,
--        and it waits for transactions older than itself.
-- Down:  DROP INDEX CONCURRENTLY, which blocks nobody either; loses no data, the lists become
--        slow.
CREATE INDEX CONCURRENTLY automation_audits_object_at_id_idx
    ON public.automation_audits (
        left(coalesce(meta ->> 'submissionId', meta ->> 'submission_id', meta ->> 'target_id', meta ->> 'task_id', meta ->> 'alert_id'), 100),
        at DESC, id DESC)
    WHERE coalesce(meta ->> 'submissionId', meta ->> 'submission_id', meta ->> 'target_id', meta ->> 'task_id', meta ->> 'alert_id') IS NOT NULL;

-- +goose Down
DROP INDEX CONCURRENTLY public.automation_audits_object_at_id_idx;
