-- +goose Up
-- Why:   every run of an automation: the request, its state, its outcome. Soft delete lives in
--        result; rows are never deleted.
-- Locks: none that waits: the table is new.
-- Down:  drops the table, and with it every submission.
CREATE TABLE public.submissions (
    id          text        NOT NULL,
    kind        text        NOT NULL,
    version     text        NOT NULL,
    actor_cpf   text,
    actor_nome  text,
    actor_email text,
    payload     jsonb       NOT NULL,
    status      text        NOT NULL,
    result      jsonb,
    error       text,
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now(),

    CONSTRAINT submissions_pkey PRIMARY KEY (id),
    CONSTRAINT chk_submissions_status CHECK (status IN ('queued', 'running', 'done', 'error'))
);

CREATE INDEX ix_submissions_actor_cpf_created ON public.submissions (actor_cpf, created_at DESC);
CREATE INDEX ix_submissions_actor_email_created ON public.submissions (actor_email, created_at DESC);
CREATE INDEX ix_submissions_created_at ON public.submissions (created_at DESC);
CREATE INDEX ix_submissions_kind_actor_cpf_created ON public.submissions (kind, actor_cpf, created_at DESC);
CREATE INDEX ix_submissions_kind_actor_email_created ON public.submissions (kind, actor_email, created_at DESC);
CREATE INDEX ix_submissions_kind_created ON public.submissions (kind, created_at DESC);
-- A numero or protocolo over about 2.7 kB does not fit an index entry: such an insert fails. The names and
-- definitions stay as the legacy start-up expects them. The GIN indexes serve containment (payload @> ...).
CREATE INDEX ix_submissions_kind_payload_numero ON public.submissions (kind, (payload ->> 'numero'));
CREATE INDEX ix_submissions_kind_payload_protocolo ON public.submissions (kind, (payload ->> 'protocolo'));
CREATE INDEX ix_submissions_kind_status_created ON public.submissions (kind, status, created_at DESC);
CREATE INDEX ix_submissions_payload_gin ON public.submissions USING gin (payload);
CREATE INDEX ix_submissions_result_gin ON public.submissions USING gin (result);

CREATE TRIGGER trg_submissions_touch
    BEFORE UPDATE ON public.submissions
    FOR EACH ROW EXECUTE FUNCTION public.touch_updated_at();

-- +goose Down
DROP TABLE public.submissions;
