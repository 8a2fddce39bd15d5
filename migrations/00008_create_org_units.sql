-- +goose Up
-- Why:   the tree of organisational units; rows come with seed_org_units.
-- Locks: none that waits: the table is new.
-- Down:  drops the table, and with it every unit.
CREATE TABLE public.org_units (
    id         uuid          NOT NULL DEFAULT gen_random_uuid(),
    parent_id  uuid,
    code       text          NOT NULL,
    name       public.citext NOT NULL,
    active     boolean       NOT NULL DEFAULT true,
    created_at timestamptz   NOT NULL DEFAULT now(),
    updated_at timestamptz   NOT NULL DEFAULT now(),

    CONSTRAINT org_units_pkey PRIMARY KEY (id),
    CONSTRAINT org_units_code_key UNIQUE (code),
    CONSTRAINT org_units_parent_id_fkey FOREIGN KEY (parent_id)
        REFERENCES public.org_units (id) ON DELETE SET NULL
);

CREATE INDEX idx_org_units_name ON public.org_units (name);
CREATE INDEX idx_org_units_parent ON public.org_units (parent_id);

CREATE TRIGGER trg_org_units_updated_at
    BEFORE UPDATE ON public.org_units
    FOR EACH ROW EXECUTE FUNCTION public.set_updated_at();

-- +goose Down
DROP TABLE public.org_units;
