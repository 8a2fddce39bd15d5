-- +goose Up
-- Why:   the units of the agency that the code and its users start from, parents first. The legacy
--        start-up adds those that are missing.
-- Locks: none that waits.
-- Down:  deletes these nine rows, with any edit made to them. Refuses while a user, an employment
--        or a unit that is not one of them refers to one, since the foreign keys would drop the
--        membership and the place in the tree in silence.
INSERT INTO public.org_units (code, name) VALUES
    ('AGEPAR', 'AGEPAR');

INSERT INTO public.org_units (parent_id, code, name)
SELECT parent.id, unit.code, unit.name
FROM (VALUES
    ('AGEPAR', 'AGEPAR-GOV', 'Governança'),
    ('AGEPAR', 'AGEPAR-TI', 'Tecnologia da Informação')
) AS unit (parent_code, code, name)
JOIN public.org_units AS parent ON parent.code = unit.parent_code;

INSERT INTO public.org_units (parent_id, code, name)
SELECT parent.id, unit.code, unit.name
FROM (VALUES
    ('AGEPAR-GOV', 'GOV-COMPRAS', 'Compras & Contratos'),
    ('AGEPAR-GOV', 'GOV-JUR', 'Jurídico'),
    ('AGEPAR-GOV', 'GOV-OUV', 'Ouvidoria'),
    ('AGEPAR-GOV', 'GOV-RH', 'Recursos Humanos'),
    ('AGEPAR-TI', 'TI-DEV', 'Desenvolvimento'),
    ('AGEPAR-TI', 'TI-INFRA', 'Infraestrutura')
) AS unit (parent_code, code, name)
JOIN public.org_units AS parent ON parent.code = unit.parent_code;

-- +goose Down
-- The rows are locked before the check, so that no reference can slip in between it and the DELETE.
-- +goose StatementBegin
DO $$
DECLARE
    seeded uuid[];
BEGIN
    seeded := ARRAY(
        SELECT id FROM public.org_units
        WHERE code IN ('AGEPAR', 'AGEPAR-GOV', 'AGEPAR-TI', 'GOV-COMPRAS', 'GOV-JUR', 'GOV-OUV',
                       'GOV-RH', 'TI-DEV', 'TI-INFRA')
        FOR UPDATE
    );
    IF EXISTS (SELECT FROM public.user_org_units WHERE org_unit_id = ANY (seeded))
        OR EXISTS (SELECT FROM public.employment WHERE org_unit_id = ANY (seeded))
        OR EXISTS (SELECT FROM public.org_units WHERE parent_id = ANY (seeded) AND id <> ALL (seeded))
    THEN
        RAISE EXCEPTION 'units of seed_org_units are in use'
            USING ERRCODE = 'restrict_violation',
                  HINT = 'Move what refers to them in user_org_units, employment and org_units first.';
    END IF;
    DELETE FROM public.org_units WHERE id = ANY (seeded);
END
$$;
-- +goose StatementEnd
