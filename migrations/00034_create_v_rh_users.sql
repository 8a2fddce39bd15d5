-- +goose Up
-- Why:   what HR sees of a user: the employment that has not ended, and its unit. A user with two
--        open employments has two rows. The text is the one that the legacy start-up puts back
--        with CREATE OR REPLACE.
-- Locks: ACCESS SHARE on users, employment and org_units.
-- Down:  loses nothing: a view holds no rows.
CREATE VIEW public.v_rh_users AS
SELECT
    u.id::text AS id,
    u.name AS nome_completo,
    u.cpf,
    u.email AS email_principal,
    u.email_institucional,
    u.telefone_principal,
    u.ramal,
    u.endereco,
    u.dependentes_qtde,
    u.formacao_nivel_medio,
    u.status AS status_usuario,
    e.type AS tipo_vinculo,
    e.status AS status_vinculo,
    e.inactivity_reason AS motivo_inatividade,
    ou.code AS org_code,
    ou.name AS org_name
FROM public.users AS u
LEFT JOIN public.employment AS e ON e.user_id = u.id AND e.end_date IS NULL
LEFT JOIN public.org_units AS ou ON ou.id = e.org_unit_id;

-- +goose Down
DROP VIEW public.v_rh_users;
