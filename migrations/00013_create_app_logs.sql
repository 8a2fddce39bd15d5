-- +goose Up
-- Why:   an optional log of the application. No code that we know of writes it, but the legacy
--        start-up expects it.
-- Locks: SHARE ROW EXCLUSIVE on users for the foreign key; the table itself is new.
-- Down:  drops the table, and with it its rows, if any.
CREATE TABLE public.app_logs (
    id         bigserial   NOT NULL,
    ts         timestamptz NOT NULL DEFAULT now(),
    level      text        NOT NULL,
    logger     text,
    message    text        NOT NULL,
    context    jsonb       NOT NULL DEFAULT '{}',
    request_id uuid,
    user_id    uuid,

    CONSTRAINT app_logs_pkey PRIMARY KEY (id),
    CONSTRAINT app_logs_level_check CHECK (level IN ('DEBUG', 'INFO', 'WARN', 'ERROR')),
    CONSTRAINT app_logs_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users (id)
);

CREATE INDEX ix_app_logs_context ON public.app_logs USING gin (context);
CREATE INDEX ix_app_logs_level ON public.app_logs (level);
CREATE INDEX ix_app_logs_ts ON public.app_logs (ts DESC);

-- +goose Down
DROP TABLE public.app_logs;
