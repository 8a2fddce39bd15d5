INSERT INTO tasks (id, title, description, status, priority, start_date, due_date, created_by_user_id, assigned_to_user_id, deleted_at, source_kind, source_id) VALUES
    ('00000000-0000-4000-8000-000000000801', '', '', 'a_fazer', 'urgente', '2026-02-01', '2026-01-01', '00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-000000000002', NULL, '', ''),
    ('00000000-0000-4000-8000-000000000802', 'Conferir contratação', repeat('descrição ', 3000), 'cancelada', 'baixa', NULL, 'infinity', '00000000-0000-4000-8000-000000000002', NULL, '1970-01-01', 'submission', 'not a UUID');
