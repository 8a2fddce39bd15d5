-- The development super-user, as the legacy scripts put it back at each run. Never part of a migration.
INSERT INTO public.users (email, name, is_superuser, attrs, must_change_password)
VALUES ('dev@local', 'Dev Admin', true, '{"seed": true}', false)
ON CONFLICT (email) DO UPDATE
SET name = EXCLUDED.name, status = 'active', is_superuser = true, must_change_password = false
WHERE NOT users.is_superuser OR users.status <> 'active' OR users.must_change_password;

INSERT INTO public.user_roles (user_id, role_id)
SELECT u.id, r.id
FROM public.users AS u, public.roles AS r
WHERE u.email = 'dev@local' AND r.name = 'admin'
ON CONFLICT DO NOTHING;
