INSERT INTO efetivo_giti (employment_id, curso, tipo, percentual) VALUES
    ('00000000-0000-4000-8000-000000000401', '', 'GRADUACAO', 10),
    ('00000000-0000-4000-8000-000000000402', 'Curso ção', 'pos', 20);
