INSERT INTO login_attempts (at, user_id, login_identifier, success, reason, ip, user_agent) VALUES
    ('2026-01-01', '00000000-0000-4000-8000-000000000001', 'Pessoa.Um@Example.ORG', true, NULL, '192.0.2.1', ''),
    ('2026-01-01', NULL, '', false, '', NULL, NULL),
    ('-infinity', NULL, E'\'; DROP TABLE users; --', false, 'user_not_found', '::1', E'\x7f\u200b');
