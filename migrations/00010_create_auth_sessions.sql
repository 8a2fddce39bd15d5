-- +goose Up
-- Why:   login sessions kept on the server; valid while neither revoked nor expired.
-- Locks: SHARE ROW EXCLUSIVE on users for the foreign key; the table itself is new.
-- Down:  drops the table, and with it every session: all users are logged out.
CREATE TABLE public.auth_sessions (
    id           uuid        NOT NULL DEFAULT gen_random_uuid(),
    user_id      uuid        NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    last_seen_at timestamptz NOT NULL DEFAULT now(),
    expires_at   timestamptz NOT NULL,
    revoked_at   timestamptz,
    ip           inet,
    user_agent   text,
    csrf_token   uuid        NOT NULL DEFAULT gen_random_uuid(),

    CONSTRAINT auth_sessions_pkey PRIMARY KEY (id),
    CONSTRAINT auth_sessions_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users (id) ON DELETE CASCADE
);

CREATE INDEX ix_auth_sessions_exp ON public.auth_sessions (expires_at);
CREATE INDEX ix_auth_sessions_user ON public.auth_sessions (user_id);

-- +goose Down
DROP TABLE public.auth_sessions;
