-- The seeds are in use, as on any real database.
INSERT INTO user_roles (user_id, role_id) SELECT '00000000-0000-4000-8000-000000000003', id FROM roles WHERE name IN ('admin', 'rh');
INSERT INTO user_org_units (user_id, org_unit_id) SELECT '00000000-0000-4000-8000-000000000003', id FROM org_units WHERE code = 'TI-DEV';
INSERT INTO employment (user_id, type, status, org_unit_id) SELECT '00000000-0000-4000-8000-000000000004', 'efetivo', 'ativo', id FROM org_units WHERE code = 'GOV-RH';
INSERT INTO org_units (parent_id, code, name) SELECT id, 'TI-DEV-1', 'Abaixo de uma unidade semeada' FROM org_units WHERE code = 'TI-DEV';
UPDATE roles SET description = 'edited here' WHERE name = 'dp';
