-- With the indexes in place: a sid longer than an index entry can be still goes in, as do two that agree in its first 100 characters.
INSERT INTO automation_audits (kind, action, meta)
SELECT 'dfd', 'submitted', jsonb_build_object('sid', string_agg(md5(i::text), '')) FROM generate_series(1, 400) AS i;
INSERT INTO automation_audits (at, kind, action, actor_cpf, meta) VALUES
    ('2026-01-01', 'dfd', 'submitted', '', jsonb_build_object('sid', repeat('ç', 100) || 'a')),
    ('2026-01-01', 'dfd', 'submitted', NULL, jsonb_build_object('sid', repeat('ç', 100) || 'b')),
    ('infinity', repeat('kind ', 100), repeat('action ', 100), repeat('cpf ', 100), '{"sid": ""}');
