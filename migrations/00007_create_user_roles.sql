-- +goose Up
-- Why:   which user holds which role.
-- Locks: SHARE ROW EXCLUSIVE on roles and users for the foreign keys; the table itself is new.
-- Down:  drops the table, and with it every grant.
CREATE TABLE public.user_roles (
    user_id    uuid        NOT NULL,
    role_id    uuid        NOT NULL,
    granted_at timestamptz NOT NULL DEFAULT now(),

    CONSTRAINT user_roles_pkey PRIMARY KEY (user_id, role_id),
    CONSTRAINT user_roles_role_id_fkey FOREIGN KEY (role_id) REFERENCES public.roles (id) ON DELETE CASCADE,
    CONSTRAINT user_roles_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users (id) ON DELETE CASCADE
);

-- +goose Down
DROP TABLE public.user_roles;
