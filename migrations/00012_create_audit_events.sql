-- +goose Up
-- Why:   the audit trail of security and administration (logins, roles, notices). The trail of
--        automations is automation_audits.
-- Locks: SHARE ROW EXCLUSIVE on users for the foreign key; the table itself is new.
-- Down:  drops the table, and with it that audit trail.
CREATE TABLE public.audit_events (
    id            bigserial   NOT NULL,
    at            timestamptz NOT NULL DEFAULT now(),
    actor_user_id uuid,
    action        text        NOT NULL,
    object_type   text,
    object_id     text,
    message       text,
    metadata      jsonb       NOT NULL DEFAULT '{}',
    ip            inet,
    user_agent    text,
    request_id    uuid,

    CONSTRAINT audit_events_pkey PRIMARY KEY (id),
    CONSTRAINT audit_events_actor_user_id_fkey FOREIGN KEY (actor_user_id) REFERENCES public.users (id)
);

CREATE INDEX ix_audit_events_action ON public.audit_events (action);
CREATE INDEX ix_audit_events_actor ON public.audit_events (actor_user_id);
CREATE INDEX ix_audit_events_at ON public.audit_events (at DESC);
CREATE INDEX ix_audit_events_meta ON public.audit_events USING gin (metadata);

-- +goose Down
DROP TABLE public.audit_events;
