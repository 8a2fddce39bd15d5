INSERT INTO audit_events (at, actor_user_id, action, object_type, object_id, message, metadata, ip, user_agent, request_id) VALUES
    ('2026-01-01', '00000000-0000-4000-8000-000000000001', 'login', 'user', '00000000-0000-4000-8000-000000000001', 'ação', '{"a": [1.0, 1.00]}', '192.0.2.1', '', '00000000-0000-4000-8000-000000000900'),
    ('2026-01-01', NULL, '', '', '', '', 'null', NULL, NULL, NULL),
    ('infinity', NULL, 'x', NULL, NULL, NULL, '[]', NULL, NULL, NULL);
