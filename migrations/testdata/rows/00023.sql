INSERT INTO platform_alerts (id, title, message, level, status, created_by_user_id, closed_by_user_id, actor_cpf, expires_at, closed_at, closed_reason) VALUES
    ('00000000-0000-4000-8000-000000000501', 'Manutenção', repeat('texto ', 5000), 'danger', 'published', '00000000-0000-4000-8000-000000000001', NULL, '', '-infinity', NULL, NULL),
    ('00000000-0000-4000-8000-000000000502', '', '', 'info', 'closed', NULL, '00000000-0000-4000-8000-000000000002', NULL, 'infinity', '1970-01-01', ''),
    ('00000000-0000-4000-8000-000000000503', '<script>', '', 'warning', 'closed', NULL, NULL, 'anonymous', '2026-01-01', NULL, NULL);
