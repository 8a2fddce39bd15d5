INSERT INTO platform_alert_recipients (alert_id, user_id, status, first_seen_at, objection_message) VALUES
    ('00000000-0000-4000-8000-000000000501', '00000000-0000-4000-8000-000000000001', 'objected', NULL, ''),
    ('00000000-0000-4000-8000-000000000501', '00000000-0000-4000-8000-000000000002', 'pending', 'infinity', 'não concordo 👎'),
    ('00000000-0000-4000-8000-000000000502', '00000000-0000-4000-8000-000000000002', 'seen', NULL, NULL);
