-- What the legacy application sends to the three central tables, in statements of our own, with an ASSERT where
-- something must come of it. Every run makes ids of its own, so that it can be repeated on one database.

-- Queued, running, done: the way of most automations. updated_at is the database's, whatever the statement says.
DO $$
DECLARE
    sid text := gen_random_uuid()::text;
    row submissions;
BEGIN
    INSERT INTO submissions (id, kind, version, actor_cpf, actor_nome, actor_email, payload, status, result, error)
    VALUES (sid, 'dfd', '1.0.0', '00000000001', 'Pessoa Um', 'um@example.org',
            '{"numero": "1/2026", "protocolo": "00.000.000-0", "assunto": "Contratação"}', 'queued', NULL, NULL);
    INSERT INTO automation_audits (actor_cpf, actor_nome, kind, action, meta)
    VALUES ('00000000001', 'Pessoa Um', 'dfd', 'submitted', jsonb_build_object('sid', sid));

    UPDATE submissions SET status = 'running' WHERE id = sid;
    UPDATE submissions SET status = 'running', result = NULL, error = NULL, updated_at = '2000-01-01' WHERE id = sid;
    UPDATE submissions SET status = 'done', result = '{"file_path": "/data/out/1.pdf", "filename": "1.pdf"}', error = NULL
    WHERE id = sid;
    INSERT INTO automation_audits (actor_cpf, actor_nome, kind, action, meta)
    VALUES ('00000000001', 'Pessoa Um', 'dfd', 'completed', jsonb_build_object('submissionId', sid, 'filename', '1.pdf'));

    SELECT * INTO STRICT row FROM submissions WHERE id = sid;
    ASSERT row.status = 'done' AND row.result ->> 'filename' = '1.pdf', 'queued, running, done';
    ASSERT row.updated_at = now(), 'updated_at is forced to now()';

    -- Soft delete rewrites result, once more when it is repeated; the status stays.
    UPDATE submissions
    SET result = jsonb_build_object('_soft_delete', jsonb_build_object('deleted', true, 'deleted_at', now(), 'deleted_by', '00000000001'),
                                    'status', 'deleted')
    WHERE id = sid;
    UPDATE submissions SET result = result || '{"status": "deleted"}' WHERE id = sid;
    SELECT * INTO STRICT row FROM submissions WHERE id = sid;
    ASSERT row.status = 'done' AND (row.result #>> '{_soft_delete,deleted}')::boolean, 'soft delete of a done row';
END
$$;

-- Queued, running, error; then its soft delete. The error may be empty or very long.
DO $$
DECLARE
    sid text := gen_random_uuid()::text;
BEGIN
    INSERT INTO submissions (id, kind, version, actor_cpf, actor_nome, actor_email, payload, status)
    VALUES (sid, 'etp', '1.0.0', '', '', '', '[1, "dois", null]', 'queued');
    UPDATE submissions SET status = 'queued' WHERE id = sid;
    UPDATE submissions SET status = 'running' WHERE id = sid;
    UPDATE submissions SET status = 'error', error = repeat('pilha de chamadas ', 5000) WHERE id = sid;
    UPDATE submissions SET status = 'error', result = NULL, error = '' WHERE id = sid;
    INSERT INTO automation_audits (actor_cpf, actor_nome, kind, action, meta)
    VALUES (NULL, NULL, 'etp', 'failed', jsonb_build_object('submission_id', sid, 'error', ''));
    UPDATE submissions
    SET result = '{"_soft_delete": {"deleted": true, "deleted_at": "2026-01-01T00:00:00Z", "deleted_by": null}, "status": "deleted"}'
    WHERE id = sid AND status IN ('done', 'error');
    ASSERT (SELECT status = 'error' AND error = '' AND result IS NOT NULL FROM submissions WHERE id = sid), 'soft delete of an error row';
END
$$;

-- Queued to error, queued to done without a result (a support ticket), and done to error, when the audit event that
-- should follow is lost: the result stays.
DO $$
DECLARE
    failed text := gen_random_uuid()::text;
    ticket text := gen_random_uuid()::text;
    turned text := gen_random_uuid()::text;
BEGIN
    INSERT INTO submissions (id, kind, version, payload, status) VALUES
        (failed, 'form2json', '1', '{}', 'queued'), (ticket, 'support', '1', '{"assunto": ""}', 'queued'),
        (turned, 'dfd', '1', '{}', 'queued');
    UPDATE submissions SET status = 'error', error = 'payload inválido' WHERE id = failed;
    UPDATE submissions SET status = 'done' WHERE id = ticket;
    UPDATE submissions SET status = 'done', result = '["a", "b"]' WHERE id = turned;
    UPDATE submissions SET status = 'error', error = 'audit' WHERE id = turned;
    ASSERT (SELECT result IS NULL FROM submissions WHERE id = ticket), 'a ticket has no result';
    ASSERT (SELECT status = 'error' AND result = '["a", "b"]' FROM submissions WHERE id = turned), 'an error row keeps its result';
END
$$;

-- Straight as done. Any text is an id, any JSON a payload, and actors are what the session said, or nothing.
DO $$
DECLARE
    run text := gen_random_uuid()::text;
    payload jsonb;
BEGIN
    FOREACH payload IN ARRAY ARRAY['{}', '[]', '""', '"text"', 'null', '0', '1.00', 'true', '[[{"a": null}]]']::jsonb[] LOOP
        INSERT INTO submissions (id, kind, version, actor_cpf, actor_nome, actor_email, payload, status, result)
        VALUES (run || ' não é um UUID ' || payload, 'ponto_saldo', '', NULL, '', NULL, payload, 'done', payload);
    END LOOP;
    INSERT INTO submissions (id, kind, version, actor_cpf, payload, status, created_at)
    VALUES (run || '/anonymous', 'fileshare', '1', 'anonymous', '{}', 'done', now() - interval '1 year');
    ASSERT (SELECT count(*) = 9 FROM submissions WHERE id LIKE run || ' %' AND result = submissions.payload), 'any JSON goes in';
END
$$;

-- Duplicates are looked for, then stored all the same: failed and soft-deleted rows count, so two of one number exist.
DO $$
DECLARE
    number text := gen_random_uuid()::text;
BEGIN
    FOR i IN 1..2 LOOP
        PERFORM 1 FROM submissions WHERE kind = 'dfd' AND payload ->> 'protocolo' = number LIMIT 1;
        INSERT INTO submissions (id, kind, version, payload, status)
        VALUES (gen_random_uuid()::text, 'dfd', '1', jsonb_build_object('protocolo', number, 'numero', number), 'error');
    END LOOP;
    ASSERT (SELECT count(*) = 2 FROM submissions WHERE kind = 'dfd' AND payload ->> 'numero' = number), 'duplicates exist';
    ASSERT EXISTS (SELECT FROM submissions WHERE payload @> jsonb_build_object('protocolo', number)), 'containment';
    INSERT INTO automation_audits (kind, action, meta) VALUES ('dfd', 'duplicate_rejected', jsonb_build_object('protocolo', number));
END
$$;

-- An audit event inside the caller's transaction goes with it, both ways.
BEGIN;
INSERT INTO tasks (id, title, created_by_user_id)
SELECT gen_random_uuid(), 'tarefa', id FROM users LIMIT 1;
INSERT INTO automation_audits (actor_cpf, actor_nome, kind, action, meta)
VALUES ('00000000001', 'Pessoa Um', 'tasks', 'create', jsonb_build_object('task_id', gen_random_uuid()));
COMMIT;
BEGIN;
INSERT INTO automation_audits (actor_cpf, actor_nome, kind, action, meta)
VALUES ('', '', 'avisos', 'undone', jsonb_build_object('alert_id', gen_random_uuid()));
ROLLBACK;
DO $$
BEGIN
    ASSERT NOT EXISTS (SELECT FROM automation_audits WHERE action = 'undone'), 'an event is undone with its transaction';
END
$$;

-- Audit events of any form: every key that names an object, no meta, metas that are no objects, a sid of any length.
INSERT INTO automation_audits (at, actor_cpf, actor_nome, kind, action, meta) VALUES
    (now(), 'anonymous', NULL, 'fileshare', 'downloaded_shared_link', '{"target_id": "ab-_AB01234567"}'),
    (now(), '', NULL, 'ponto_saldo', 'submission.created', NULL),
    (now(), NULL, 'ção', 'usuarios', 'update', '{"user_id": 1, "session_id": null}'),
    (now(), NULL, NULL, '', '', '[{"sid": "x"}]'),
    (now(), NULL, NULL, 'accounts', 'cancelled', 'null'),
    (now(), NULL, NULL, 'dfd', 'submitted', '{"sid": {"an": "object"}}');
INSERT INTO automation_audits (kind, action, meta)
SELECT 'dfd', 'submitted', jsonb_build_object('sid', string_agg(md5(random()::text), '')) FROM generate_series(1, 400);

-- Shared files: upload, downloads, deletion by the owner, the clean-up of what has expired.
DO $$
DECLARE
    fid text := substr(replace(gen_random_uuid()::text, '-', '_'), 1, 14);
    row fileshare_items;
BEGIN
    INSERT INTO fileshare_items (id, filename, size, content_type, path, owner_id, owner_name, created_at, expires_at, secret_hash, downloads)
    VALUES (fid, E'relatório "final"\r\n.pdf', 0, NULL, '/data/uploads/2026/01/01/' || fid, NULL, NULL, now(), now() + interval '7 days',
            'sha256:0123456789abcdef:0000000000000000000000000000000000000000000000000000000000000000', 0);
    UPDATE fileshare_items SET downloads = downloads + 1 WHERE id = fid;
    UPDATE fileshare_items SET downloads = downloads + 1 WHERE id = fid;
    PERFORM id, filename, size, downloads FROM fileshare_items
    WHERE deleted_at IS NULL AND expires_at > now() AND owner_id = '00000000001' AND filename ILIKE '%relatório%'
    ORDER BY created_at DESC LIMIT 50 OFFSET 0;
    UPDATE fileshare_items SET deleted_at = now() WHERE id = fid;
    UPDATE fileshare_items SET expires_at = now() - interval '1 day', deleted_at = NULL WHERE id = fid;
    UPDATE fileshare_items SET deleted_at = now() WHERE id = fid AND deleted_at IS NULL AND expires_at <= now();
    SELECT * INTO STRICT row FROM fileshare_items WHERE id = fid;
    ASSERT row.downloads = 2 AND row.deleted_at IS NOT NULL, 'file';
END
$$;

-- The lists of the panel.
SELECT id, kind, version, actor_cpf, actor_nome, actor_email, payload, status, result, error, created_at, updated_at
FROM submissions
WHERE kind = 'dfd' AND actor_cpf = '00000000001' AND LOWER(status) = LOWER('DONE')
ORDER BY created_at DESC LIMIT 50 OFFSET 0;
SELECT * FROM submissions WHERE actor_email = 'um@example.org' ORDER BY created_at DESC LIMIT 50;
SELECT * FROM submissions
WHERE kind = 'dfd' AND status IN ('queued', 'running') AND created_at >= now() - interval '30 days' AND created_at < now()
ORDER BY created_at DESC LIMIT 50;
SELECT * FROM submissions
WHERE payload::text ILIKE '%contrat%' AND COALESCE(result #>> '{_soft_delete,deleted}', 'false') <> 'true'
ORDER BY created_at DESC LIMIT 50;
SELECT COUNT(*), COUNT(*) FILTER (WHERE status = 'error') FROM submissions WHERE kind = 'dfd';
SELECT id, at, actor_cpf, actor_nome, kind, action, meta FROM automation_audits
WHERE kind = 'dfd' AND action = 'submitted' AND actor_cpf = '00000000001' AND at >= now() - interval '1 day'
ORDER BY at DESC LIMIT 100 OFFSET 0;
SELECT DISTINCT kind FROM automation_audits ORDER BY kind;
SELECT s.id, (SELECT a.action FROM automation_audits AS a WHERE a.meta ->> 'sid' = s.id ORDER BY a.at DESC LIMIT 1)
FROM submissions AS s ORDER BY s.created_at DESC LIMIT 5;
SELECT * FROM fileshare_items WHERE owner_id = '00000000001' AND deleted_at IS NULL ORDER BY created_at DESC LIMIT 50;
