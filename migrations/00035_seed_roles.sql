-- +goose Up
-- Why:   the roles that the code asks for by name. The legacy start-up adds those that are missing.
-- Locks: none that waits.
-- Down:  deletes these eight rows, with any edit made to them. Refuses while a user holds one of
--        them, since the foreign key would take the grant away in silence.
INSERT INTO public.roles (name, description) VALUES
    ('admin', 'Acesso administrativo'),
    ('coordenador', 'Papel legado sem atribuições padrão'),
    ('daf', NULL),
    ('dfq', NULL),
    ('dnr', NULL),
    ('dp', NULL),
    ('dre', NULL),
    ('rh', NULL);

-- +goose Down
-- The rows are locked before the check, so that no grant can slip in between it and the DELETE.
-- +goose StatementBegin
DO $$
DECLARE
    seeded uuid[];
BEGIN
    seeded := ARRAY(
        SELECT id FROM public.roles
        WHERE name IN ('admin', 'coordenador', 'daf', 'dfq', 'dnr', 'dp', 'dre', 'rh')
        FOR UPDATE
    );
    IF EXISTS (SELECT FROM public.user_roles WHERE role_id = ANY (seeded)) THEN
        RAISE EXCEPTION 'roles of seed_roles are granted to users'
            USING ERRCODE = 'restrict_violation',
                  HINT = 'Delete their rows from user_roles first.';
    END IF;
    DELETE FROM public.roles WHERE id = ANY (seeded);
END
$$;
-- +goose StatementEnd
