-- payload holds any JSON, result an object, an array or nothing, error may be empty.
INSERT INTO submissions (id, kind, version, actor_cpf, actor_nome, actor_email, payload, status, result, error, created_at) VALUES
    ('00000000-0000-4000-8000-000000000601', 'dfd', '1.0.0', '00000000001', 'Pessoa Um', 'um@example.org', '{"numero": "1/2026", "protocolo": "00.000.000-0"}', 'queued', NULL, NULL, '2026-01-01'),
    ('00000000-0000-4000-8000-000000000602', 'dfd', '1.0.0', NULL, NULL, NULL, '{"numero": "1/2026", "protocolo": "00.000.000-0"}', 'running', NULL, NULL, '2026-01-01'),
    ('not a UUID', 'etp', '', '', '', '', '[]', 'done', '[]', '', '2026-01-02'),
    ('', '', '', 'anonymous', 'ß 漢字', 'UM@EXAMPLE.ORG', '"text"', 'done', NULL, NULL, '-infinity'),
    ('../../etc/passwd', 'support', '1', NULL, '', NULL, 'null', 'done', NULL, NULL, 'infinity'),
    ('👩🏽‍💼', 'form2json', '1', NULL, NULL, NULL, '1.00', 'queued', 'null', '', '0001-01-01 BC'),
    ('ID', 'ferias', '1', '00000000002', NULL, NULL, 'true', 'error', '{"file_path": "/data/out/1.pdf"}', 'the audit event after it was lost', now()),
    ('id', 'ferias', '1', '00000000002', NULL, NULL, '{}', 'error', NULL, '', now()),
    ('soft-deleted done', 'dfd', '1', '00000000001', NULL, NULL, '{"numero": "1/2026"}', 'done',
     '{"_soft_delete": {"deleted": true, "deleted_at": "2026-01-01T00:00:00Z", "deleted_by": "00000000001"}, "status": "deleted"}', NULL, now()),
    ('soft-deleted error', 'dfd', '1', '00000000001', NULL, NULL, '{"numero": null, "protocolo": 1}', 'error',
     '{"_soft_delete": {"deleted": true, "deleted_at": null, "deleted_by": null}, "status": "deleted"}', 'x', now());
-- Too large for its page: payload, result and error lie in TOAST.
INSERT INTO submissions (id, kind, version, payload, status, result, error)
SELECT 'large', 'etp', '1', jsonb_build_object('texto', big), 'error', jsonb_build_array(big, big), big
FROM (SELECT string_agg(md5(i::text), 'ç') AS big FROM generate_series(1, 3000) AS i) AS t;
