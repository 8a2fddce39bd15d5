-- +goose Up
-- Why:   messages for the in-boxes of users.
-- Locks: SHARE ROW EXCLUSIVE on users for the foreign key; the table itself is new.
-- Down:  drops the table, and with it every message.
CREATE TABLE public.notifications (
    id                 uuid        NOT NULL DEFAULT gen_random_uuid(),
    created_at         timestamptz NOT NULL DEFAULT now(),
    created_by_user_id uuid,
    actor_cpf          text,
    actor_nome         text,
    actor_email        text,
    title              text        NOT NULL,
    message            text        NOT NULL,
    level              text        NOT NULL DEFAULT 'info',
    action_url         text,
    meta               jsonb,

    CONSTRAINT notifications_pkey PRIMARY KEY (id),
    CONSTRAINT notifications_created_by_user_id_fkey FOREIGN KEY (created_by_user_id)
        REFERENCES public.users (id) ON DELETE SET NULL
);

CREATE INDEX ix_notifications_created_at ON public.notifications (created_at DESC);

-- +goose Down
DROP TABLE public.notifications;
