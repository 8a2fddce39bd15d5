INSERT INTO app_logs (ts, level, logger, message, context, request_id, user_id) VALUES
    ('2026-01-01', 'ERROR', '', '', '[]', NULL, NULL),
    ('-infinity', 'DEBUG', NULL, repeat('pilha ', 20000), '"text"', '00000000-0000-4000-8000-000000000900', '00000000-0000-4000-8000-000000000002');
