-- +goose NO TRANSACTION
-- +goose Up
-- Why:   the trail of one session, by the session_id in meta, which stands beside other keys too. left() as in
--        00045: an entry over about 2.7 kB would make an insert of the legacy code fail.
-- Locks: SHARE UPDATE EXCLUSIVE on automation_audits: reads and writes go on, other DDL waits,
--        and it waits for transactions older than itself.
-- Down:  DROP INDEX CONCURRENTLY, which blocks nobody either; loses no data, the lists become
--        slow.
CREATE INDEX CONCURRENTLY automation_audits_session_id_at_id_idx
    ON public.automation_audits (left(meta ->> 'session_id', 100), at DESC, id DESC)
    WHERE (meta ->> 'session_id') IS NOT NULL;

-- +goose Down
DROP INDEX CONCURRENTLY public.automation_audits_session_id_at_id_idx;
