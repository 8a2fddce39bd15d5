INSERT INTO notifications (id, created_by_user_id, actor_cpf, actor_nome, title, message, level, action_url, meta) VALUES
    ('00000000-0000-4000-8000-000000000701', '00000000-0000-4000-8000-000000000001', '00000000001', 'Pessoa Um', 'Título', E'linha 1\nlinha 2', 'info', 'javascript:alert(1)', '[]'),
    ('00000000-0000-4000-8000-000000000702', NULL, NULL, '', '', '', '', NULL, NULL),
    ('00000000-0000-4000-8000-000000000703', NULL, '', NULL, 'x', repeat('ç', 100000), 'danger', '', 'null');
