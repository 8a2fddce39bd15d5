INSERT INTO automation_audits (at, actor_cpf, actor_nome, kind, action, meta) VALUES
    ('2026-01-01', '00000000001', 'Pessoa Um', 'dfd', 'submitted', '{"sid": "00000000-0000-4000-8000-000000000601"}'),
    ('2026-01-01', 'anonymous', NULL, 'fileshare', 'downloaded_shared_link', '{"target_id": "ab-_AB01234567", "sid": null}'),
    ('2026-01-01', '', '', '', '', NULL),
    ('-infinity', NULL, 'ção 👩🏽‍💼', 'ponto_saldo', 'submission.created', '[{"sid": "in an array"}]'),
    ('infinity', NULL, NULL, 'avisos', 'publish', 'null'),
    (now(), NULL, NULL, 'usuarios', 'update', '{"sid": {"not": "a string"}, "n": 1.00}'),
    (now(), NULL, NULL, 'etp', 'failed', '"text"');
-- Longer than an index entry can be: the index on sid must be built over it.
INSERT INTO automation_audits (kind, action, meta)
SELECT 'etp', 'submitted', jsonb_build_object('sid', string_agg(md5(i::text), '')) FROM generate_series(1, 400) AS i;
