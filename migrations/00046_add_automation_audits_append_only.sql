-- +goose Up
-- Why:   an audit trail that can be edited proves nothing. No code updates or deletes its rows, so
--        the database now refuses to. One call per statement: inserts pay nothing.
-- Locks: SHARE ROW EXCLUSIVE on automation_audits for an instant: reads go on, inserts wait.
-- Down:  takes ACCESS EXCLUSIVE for an instant; loses no data, the trail can be edited again.
-- +goose StatementBegin
CREATE FUNCTION public.automation_audits_append_only() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'automation_audits is append-only: % refused', TG_OP
        USING ERRCODE = 'restrict_violation',
              SCHEMA = TG_TABLE_SCHEMA,
              TABLE = TG_TABLE_NAME,
              CONSTRAINT = 'automation_audits_append_only',
              HINT = 'Insert another event that corrects the first.';
END
$$;
-- +goose StatementEnd

CREATE TRIGGER automation_audits_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON public.automation_audits
    FOR EACH STATEMENT EXECUTE FUNCTION public.automation_audits_append_only();

-- +goose Down
DROP TRIGGER automation_audits_append_only ON public.automation_audits;
DROP FUNCTION public.automation_audits_append_only();
