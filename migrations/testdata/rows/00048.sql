-- What the triggers must let pass: the legacy way of a row, with the append-only trail beside it.
INSERT INTO submissions (id, kind, version, payload, status) VALUES ('after the triggers', 'dfd', '1', '[null]', 'queued');
UPDATE submissions SET status = 'queued', error = '' WHERE id = 'after the triggers';
UPDATE submissions SET status = 'running' WHERE id = 'after the triggers';
UPDATE submissions SET status = 'done', result = '[]' WHERE id = 'after the triggers';
UPDATE submissions SET status = 'error', error = 'audit lost' WHERE id = 'after the triggers';
INSERT INTO automation_audits (kind, action, meta) VALUES ('dfd', 'failed', '{"sid": "after the triggers"}');
