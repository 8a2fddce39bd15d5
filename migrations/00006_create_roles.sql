-- +goose Up
-- Why:   names of roles; rows come with seed_roles.
-- Locks: none that waits: the table is new.
-- Down:  drops the table, and with it every role.
CREATE TABLE public.roles (
    id          uuid        NOT NULL DEFAULT gen_random_uuid(),
    name        text        NOT NULL,
    description text,
    created_at  timestamptz NOT NULL DEFAULT now(),

    CONSTRAINT roles_pkey PRIMARY KEY (id),
    CONSTRAINT roles_name_key UNIQUE (name)
);

-- +goose Down
DROP TABLE public.roles;
