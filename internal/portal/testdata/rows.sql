-- Plausible rows of nobody, uneven on purpose, for the plan tests. Settings rows.submissions and rows.audits say how many.
--
-- What makes a list slow is a filter that few rows pass while the planner expects many, so here are kinds of a handful
-- of rows, hardly anything running, actors that stand for thousands ('' writes ponto_saldo, 'anonymous' follows share
-- links, NULL is support), a user and a task of thousands of events, statuses and actions that some common kinds never have, and times shared by many rows.
-- Secondary indexes are dropped and rebuilt around the load.
BEGIN;
SET LOCAL maintenance_work_mem = '256MB';

CREATE TEMP TABLE kept_index AS
SELECT i.indexrelid::regclass::text AS name, pg_get_indexdef(i.indexrelid) AS definition
FROM pg_index i
WHERE i.indrelid IN ('public.submissions'::regclass, 'public.automation_audits'::regclass)
  AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.indexrelid);
DO $$ DECLARE name text; BEGIN FOR name IN SELECT i.name FROM kept_index i LOOP EXECUTE 'DROP INDEX ' || name; END LOOP; END $$;

INSERT INTO public.submissions (id, kind, version, actor_cpf, actor_nome, actor_email, payload, status, result, error, created_at, updated_at)
SELECT md5('s' || i)::uuid::text, kind, '1.0.' || h % 5,
       CASE kind WHEN 'ponto_saldo' THEN '' WHEN 'fileshare' THEN 'anonymous' WHEN 'support' THEN NULL ELSE cpf END,
       'Servidor ' || person,
       CASE WHEN kind NOT IN ('ponto_saldo', 'fileshare') THEN 'servidor' || person || '@example.org' END,
       jsonb_build_object('numero', h % 100000 || '/2026', 'protocolo', lpad((h % 1000000000)::text, 9, '0'),
                          'assunto', 'Contratação de serviço técnico ' || h % 977, 'itens', jsonb_build_array(h % 13, h % 17)),
       status,
       CASE status WHEN 'done' THEN jsonb_build_object('file_path', '/data/out/' || i || '.pdf', 'ok', true) END,
       CASE status WHEN 'error' THEN 'timeout ao gerar documento' END,
       at, at
FROM (SELECT current_setting('rows.submissions')::bigint submissions) size
CROSS JOIN generate_series(1, submissions) i
CROSS JOIN LATERAL (SELECT abs(hashint8(i)::bigint) h, abs(hashint8(-i)::bigint) g) hash
CROSS JOIN LATERAL (SELECT g % 2000 person, lpad((g % 2000 * 4999 + 10000000007)::text, 11, '0') cpf) actor
CROSS JOIN LATERAL (SELECT now() - (submissions - i / 16 * 16) * (interval '365 days' / submissions) AS at) clock
CROSS JOIN LATERAL (SELECT CASE
    WHEN i % 50000 = 7 THEN 'arquivo_morto' WHEN i % 5000 = 3 THEN 'form2json' WHEN h % 100 < 40 THEN 'dfd'
    WHEN h % 100 < 60 THEN 'etp' WHEN h % 100 < 75 THEN 'pca' WHEN h % 100 < 85 THEN 'ferias'
    WHEN h % 100 < 90 THEN 'ponto_saldo' WHEN h % 100 < 95 THEN 'fileshare' ELSE 'support' END kind) k
CROSS JOIN LATERAL (SELECT CASE
    WHEN kind IN ('ponto_saldo', 'support') THEN 'done' WHEN i % 10000 = 11 THEN 'running'
    WHEN g / 2000 % 100 < 4 THEN 'queued' WHEN g / 2000 % 100 < 12 THEN 'error' ELSE 'done' END status) s;

INSERT INTO public.automation_audits (at, actor_cpf, actor_nome, kind, action, meta)
SELECT now() - (audits - i / 16 * 16) * (interval '365 days' / audits),
       CASE kind WHEN 'ponto_saldo' THEN '' WHEN 'support' THEN NULL
                 ELSE CASE action WHEN 'downloaded_shared_link' THEN 'anonymous' ELSE cpf END END,
       'Servidor ' || person, kind, action,
       jsonb_build_object(CASE kind WHEN 'support' THEN (array['submissionId', 'submission_id', 'target_id'])[1 + g % 3] ELSE 'sid' END,
                          md5('s' || g % submissions + 1)::uuid::text, 'filename', 'documento_' || h % 10000 || '.pdf')
       || CASE WHEN h % 3 = 0 THEN jsonb_build_object('user_id', CASE g % 10 WHEN 0 THEN 'common' ELSE person::text END,
                                                      'session_id', md5('session' || g % 50000)) ELSE '{}' END
       || CASE WHEN h % 20 = 1 THEN jsonb_build_object('task_id', CASE g % 2 WHEN 0 THEN 0 ELSE g % 5000 END) ELSE '{}' END
FROM (SELECT current_setting('rows.submissions')::bigint submissions, current_setting('rows.audits')::bigint audits) size
CROSS JOIN generate_series(1, audits) i
CROSS JOIN LATERAL (SELECT abs(hashint8(i + 77)::bigint) h, abs(hashint8(-i - 77)::bigint) g) hash
CROSS JOIN LATERAL (SELECT g % 2000 person, lpad((g % 2000 * 4999 + 10000000007)::text, 11, '0') cpf) actor
CROSS JOIN LATERAL (SELECT CASE
    WHEN i % 50000 = 7 THEN 'arquivo_morto' WHEN i % 5000 = 3 THEN 'form2json' WHEN h % 100 < 40 THEN 'fileshare'
    WHEN h % 100 < 60 THEN 'dfd' WHEN h % 100 < 75 THEN 'etp' WHEN h % 100 < 90 THEN 'ponto_saldo' ELSE 'support' END kind) k
CROSS JOIN LATERAL (SELECT CASE
    WHEN i % 30000 = 9 THEN 'cancelled'
    WHEN kind = 'fileshare' THEN (array['uploaded', 'downloaded', 'downloaded_shared_link', 'deleted'])[1 + h / 100 % 4]
    ELSE (array['submitted', 'running', 'completed', 'failed'])[1 + h / 100 % 4] END action) a;

DO $$ DECLARE definition text; BEGIN FOR definition IN SELECT i.definition FROM kept_index i LOOP EXECUTE definition; END LOOP; END $$;
DROP TABLE kept_index;
COMMIT;
