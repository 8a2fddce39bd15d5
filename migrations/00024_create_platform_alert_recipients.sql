-- +goose Up
-- Why:   who saw, confirmed or objected to a notice.
-- Locks: SHARE ROW EXCLUSIVE on platform_alerts and users for the foreign keys; the table itself
--        is new.
-- Down:  drops the table, and with it every answer.
CREATE TABLE public.platform_alert_recipients (
    alert_id          uuid        NOT NULL,
    user_id           uuid        NOT NULL,
    status            text        NOT NULL DEFAULT 'pending',
    delivered_at      timestamptz NOT NULL DEFAULT now(),
    first_seen_at     timestamptz,
    responded_at      timestamptz,
    confirmed_at      timestamptz,
    objected_at       timestamptz,
    objection_message text,
    updated_at        timestamptz NOT NULL DEFAULT now(),

    CONSTRAINT platform_alert_recipients_pkey PRIMARY KEY (alert_id, user_id),
    CONSTRAINT platform_alert_recipients_status_check CHECK (status IN ('pending', 'seen', 'confirmed', 'objected')),
    CONSTRAINT platform_alert_recipients_alert_id_fkey FOREIGN KEY (alert_id)
        REFERENCES public.platform_alerts (id) ON DELETE CASCADE,
    CONSTRAINT platform_alert_recipients_user_id_fkey FOREIGN KEY (user_id)
        REFERENCES public.users (id) ON DELETE CASCADE
);

CREATE INDEX ix_platform_alert_recipients_alert_status ON public.platform_alert_recipients (alert_id, status);
CREATE INDEX ix_platform_alert_recipients_user_status
    ON public.platform_alert_recipients (user_id, status, delivered_at DESC);

-- +goose Down
DROP TABLE public.platform_alert_recipients;
