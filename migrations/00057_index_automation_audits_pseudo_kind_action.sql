-- +goose NO TRANSACTION
-- +goose Up
-- Why:   the trail of one kind and action of '' or 'anonymous', who stand for thousands of events.
--        The indexes on two of the three read all events of the rarest pair, if the planner knows
--        which that is. An entry is some 10 bytes longer than in the index on kind and action, which
--        bounds what goes in already; both are constants of the code.
-- Cost:  4.7 us for each row of these actors and 1.0 for any other (4 us with the primary key
--        alone): CPU time of the backend, least of 21 interleaved rounds of 10,000 one-row INSERTs
--        in PL/pgSQL into 300,000 rows, PostgreSQL 15.
-- Locks: SHARE UPDATE EXCLUSIVE on automation_audits: reads and writes go on, other DDL waits,
--        and it waits for transactions older than itself.
-- Down:  DROP INDEX CONCURRENTLY, which blocks nobody either; loses no data, the lists become
--        slow.
CREATE INDEX CONCURRENTLY automation_audits_pseudo_kind_action_at_id_idx
    ON public.automation_audits (actor_cpf, kind, action, at DESC, id DESC)
    WHERE actor_cpf IN ('', 'anonymous');

-- +goose Down
DROP INDEX CONCURRENTLY public.automation_audits_pseudo_kind_action_at_id_idx;
