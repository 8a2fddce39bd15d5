-- +goose Up
-- Why:   every login, successful or not; the login throttle counts here.
-- Locks: SHARE ROW EXCLUSIVE on users for the foreign key; the table itself is new.
-- Down:  drops the table, and with it the history of logins.
CREATE TABLE public.login_attempts (
    id               bigserial   NOT NULL,
    at               timestamptz NOT NULL DEFAULT now(),
    user_id          uuid,
    login_identifier text        NOT NULL,
    success          boolean     NOT NULL,
    reason           text,
    ip               inet,
    user_agent       text,

    CONSTRAINT login_attempts_pkey PRIMARY KEY (id),
    CONSTRAINT login_attempts_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users (id)
);

CREATE INDEX ix_login_attempts_at ON public.login_attempts (at DESC);
CREATE INDEX ix_login_attempts_ident ON public.login_attempts (login_identifier);

-- +goose Down
DROP TABLE public.login_attempts;
