-- +goose Up
-- Why:   which users belong to which units, and which one is the main one.
-- Locks: SHARE ROW EXCLUSIVE on org_units and users for the foreign keys; the table itself is
--        new.
-- Down:  drops the table, and with it every membership.
CREATE TABLE public.user_org_units (
    user_id      uuid        NOT NULL,
    org_unit_id  uuid        NOT NULL,
    primary_flag boolean     NOT NULL DEFAULT false,
    created_at   timestamptz NOT NULL DEFAULT now(),

    CONSTRAINT user_org_units_pkey PRIMARY KEY (user_id, org_unit_id),
    CONSTRAINT user_org_units_org_unit_id_fkey FOREIGN KEY (org_unit_id)
        REFERENCES public.org_units (id) ON DELETE CASCADE,
    CONSTRAINT user_org_units_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users (id) ON DELETE CASCADE
);

CREATE INDEX idx_user_org_units_org ON public.user_org_units (org_unit_id);
CREATE INDEX idx_user_org_units_user ON public.user_org_units (user_id);

-- +goose Down
DROP TABLE public.user_org_units;
