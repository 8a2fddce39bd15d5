-- +goose Up
-- Why:   whose in-box holds which message, and when it was read.
-- Locks: SHARE ROW EXCLUSIVE on notifications and users for the foreign keys; the table itself is
--        new.
-- Down:  drops the table, and with it every delivery.
CREATE TABLE public.notification_recipients (
    notification_id uuid        NOT NULL,
    user_id         uuid        NOT NULL,
    delivered_at    timestamptz NOT NULL DEFAULT now(),
    read_at         timestamptz,

    CONSTRAINT notification_recipients_pkey PRIMARY KEY (notification_id, user_id),
    CONSTRAINT notification_recipients_notification_id_fkey FOREIGN KEY (notification_id)
        REFERENCES public.notifications (id) ON DELETE CASCADE,
    CONSTRAINT notification_recipients_user_id_fkey FOREIGN KEY (user_id)
        REFERENCES public.users (id) ON DELETE CASCADE
);

CREATE INDEX ix_notification_recipients_user ON public.notification_recipients (user_id);
CREATE INDEX ix_notification_recipients_user_unread ON public.notification_recipients (user_id) WHERE read_at IS NULL;

-- +goose Down
DROP TABLE public.notification_recipients;
