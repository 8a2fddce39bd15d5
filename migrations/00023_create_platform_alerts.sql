-- +goose Up
-- Why:   notices that every user sees as a pop-up. At most one is published at a time: a unique
--        index on a constant says so.
-- Locks: SHARE ROW EXCLUSIVE on users for the foreign keys; the table itself is new.
-- Down:  drops the table, and with it every notice.
CREATE TABLE public.platform_alerts (
    id                         uuid        NOT NULL DEFAULT gen_random_uuid(),
    title                      text        NOT NULL,
    message                    text        NOT NULL,
    level                      text        NOT NULL DEFAULT 'warning',
    status                     text        NOT NULL DEFAULT 'published',
    created_by_user_id         uuid,
    closed_by_user_id          uuid,
    actor_cpf                  text,
    actor_nome                 text,
    actor_email                text,
    created_at                 timestamptz NOT NULL DEFAULT now(),
    updated_at                 timestamptz NOT NULL DEFAULT now(),
    published_at               timestamptz NOT NULL DEFAULT now(),
    expires_at                 timestamptz NOT NULL,
    closed_at                  timestamptz,
    closed_reason              text,
    allow_dismiss              boolean     NOT NULL DEFAULT false,
    objection_enabled          boolean     NOT NULL DEFAULT true,
    objection_requires_message boolean     NOT NULL DEFAULT true,
    tab_badge_enabled          boolean     NOT NULL DEFAULT true,

    CONSTRAINT platform_alerts_pkey PRIMARY KEY (id),
    CONSTRAINT platform_alerts_level_check CHECK (level IN ('info', 'warning', 'danger')),
    CONSTRAINT platform_alerts_status_check CHECK (status IN ('published', 'closed', 'expired', 'cancelled')),
    CONSTRAINT platform_alerts_closed_by_user_id_fkey FOREIGN KEY (closed_by_user_id)
        REFERENCES public.users (id) ON DELETE SET NULL,
    CONSTRAINT platform_alerts_created_by_user_id_fkey FOREIGN KEY (created_by_user_id)
        REFERENCES public.users (id) ON DELETE SET NULL
);

CREATE INDEX ix_platform_alerts_expires_at ON public.platform_alerts (expires_at);
CREATE INDEX ix_platform_alerts_status_published_at ON public.platform_alerts (status, published_at DESC);
CREATE UNIQUE INDEX ux_platform_alerts_single_published ON public.platform_alerts ((1)) WHERE status = 'published';

-- +goose Down
DROP TABLE public.platform_alerts;
