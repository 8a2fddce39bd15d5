-- +goose Up
-- Why:   one employment of a user in a unit. An inactive one must say why, an active one must
--        not.
-- Locks: SHARE ROW EXCLUSIVE on org_units and users for the foreign keys; the table itself is
--        new.
-- Down:  drops the table, and with it every employment.
CREATE TABLE public.employment (
    id                uuid                     NOT NULL DEFAULT gen_random_uuid(),
    user_id           uuid                     NOT NULL,
    type              public.employment_type   NOT NULL,
    status            public.employment_status NOT NULL,
    inactivity_reason public.inactivity_reason,
    org_unit_id       uuid                     NOT NULL,
    start_date        date,
    end_date          date,
    attrs             jsonb                    NOT NULL DEFAULT '{}',
    created_at        timestamptz              NOT NULL DEFAULT now(),
    updated_at        timestamptz              NOT NULL DEFAULT now(),

    CONSTRAINT employment_pkey PRIMARY KEY (id),
    CONSTRAINT chk_inactivity_reason CHECK (
        (status = 'inativo' AND inactivity_reason IS NOT NULL)
        OR (status = 'ativo' AND inactivity_reason IS NULL)
    ),
    CONSTRAINT employment_org_unit_id_fkey FOREIGN KEY (org_unit_id)
        REFERENCES public.org_units (id) ON DELETE RESTRICT,
    CONSTRAINT employment_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users (id) ON DELETE CASCADE
);

CREATE INDEX idx_employment_org ON public.employment (org_unit_id);
CREATE INDEX idx_employment_type_status ON public.employment (type, status);
CREATE INDEX idx_employment_user ON public.employment (user_id);
CREATE INDEX ix_employment_user_active ON public.employment (user_id) WHERE end_date IS NULL;

CREATE TRIGGER trg_employment_updated_at
    BEFORE UPDATE ON public.employment
    FOR EACH ROW EXECUTE FUNCTION public.set_updated_at();

-- +goose Down
DROP TABLE public.employment;
