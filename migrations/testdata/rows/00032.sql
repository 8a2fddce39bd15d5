INSERT INTO task_events (task_id, actor_user_id, event_type, old_value, new_value, metadata) VALUES
    ('00000000-0000-4000-8000-000000000801', '00000000-0000-4000-8000-000000000001', 'status', '"a_fazer"', 'null', '{}'),
    ('00000000-0000-4000-8000-000000000802', NULL, '', NULL, '{"x": [1.00]}', '[]');
