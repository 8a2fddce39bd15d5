-- +goose Up
-- Why:   the audit trail of automations. Rows name a submission or a file only by keys inside
--        meta (sid, submission_id, target_id, ...).
-- Locks: none that waits: the table is new.
-- Down:  drops the table, and with it that audit trail.
CREATE TABLE public.automation_audits (
    id         bigserial   NOT NULL,
    at         timestamptz NOT NULL DEFAULT now(),
    actor_cpf  text,
    actor_nome text,
    kind       text        NOT NULL,
    action     text        NOT NULL,
    meta       jsonb,

    CONSTRAINT automation_audits_pkey PRIMARY KEY (id)
);

CREATE INDEX ix_automation_audits_at ON public.automation_audits (at DESC);

-- +goose Down
DROP TABLE public.automation_audits;
