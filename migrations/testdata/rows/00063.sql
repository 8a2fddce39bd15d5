-- Every name that an object has in meta, with its indexes in place: alone, beside others, longer than an index entry can be,
-- as a number, and in a meta that is no object.
INSERT INTO automation_audits (kind, action, meta)
SELECT 'dfd', 'submitted', jsonb_build_object(key, '61')
FROM unnest(ARRAY['sid', 'submissionId', 'submission_id', 'target_id', 'task_id', 'alert_id', 'user_id', 'session_id']) AS key;
INSERT INTO automation_audits (kind, action, meta)
SELECT 'dfd', 'submitted', jsonb_object_agg(key, long)
FROM unnest(ARRAY['submissionId', 'submission_id', 'target_id', 'task_id', 'alert_id', 'user_id', 'session_id']) AS key
CROSS JOIN (SELECT string_agg(md5(i::text), '') AS long FROM generate_series(1, 400) AS i) AS text;
INSERT INTO automation_audits (at, kind, action, meta) VALUES
    ('infinity', 'dfd', 'submitted', '{"task_id": 61, "user_id": null, "session_id": ""}'),
    ('-infinity', 'dfd', 'submitted', '["user_id"]'),
    ('2026-01-01', 'dfd', 'submitted', '"session_id"');
