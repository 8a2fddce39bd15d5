-- What the legacy service sends to the three central tables, as parameterised statements: the release that a rollback asks
-- first. A test prepares all of it at every version from the baseline on.

-- name: SubmissionInsert
INSERT INTO submissions (id, kind, version, actor_cpf, actor_nome, actor_email, payload, status, result, error)
VALUES ($1, $2, $3, $4, $5, $6, $7::jsonb, $8, $9::jsonb, $10);

-- name: SubmissionInsertQueued
INSERT INTO submissions (id, kind, version, actor_cpf, actor_nome, actor_email, payload, status)
VALUES ($1, $2, $3, $4, $5, $6, $7::jsonb, 'queued');

-- name: SubmissionUpdate
UPDATE submissions SET status = $2, result = $3::jsonb, error = $4 WHERE id = $1;

-- name: SubmissionUpdateStatus
UPDATE submissions SET status = $2 WHERE id = $1;

-- name: SubmissionUpdateError
UPDATE submissions SET status = 'error', error = $2 WHERE id = $1;

-- name: SubmissionSoftDelete
UPDATE submissions SET result = $2::jsonb WHERE id = $1 AND status IN ('done', 'error');

-- name: SubmissionGet
SELECT id, kind, version, actor_cpf, actor_nome, actor_email, payload, status, result, error, created_at, updated_at
FROM submissions WHERE id = $1;

-- name: SubmissionGetAll
SELECT * FROM submissions WHERE id = $1;

-- name: SubmissionListByActor
SELECT id, kind, version, actor_cpf, actor_nome, actor_email, payload, status, result, error, created_at, updated_at
FROM submissions WHERE kind = $1 AND actor_cpf = $2 AND LOWER(status) = LOWER($3)
ORDER BY created_at DESC LIMIT $4::bigint OFFSET $5::bigint;

-- name: SubmissionListByEmail
SELECT * FROM submissions WHERE kind = $1 AND actor_email = $2 ORDER BY created_at DESC LIMIT $3::bigint OFFSET $4::bigint;

-- name: SubmissionListByPeriod
SELECT * FROM submissions WHERE kind = $1 AND status = $2 AND created_at >= $3 AND created_at < $4
ORDER BY created_at DESC LIMIT $5::bigint OFFSET $6::bigint;

-- name: SubmissionListRecent
SELECT * FROM submissions ORDER BY created_at DESC LIMIT $1::bigint OFFSET $2::bigint;

-- name: SubmissionSearch
SELECT * FROM submissions WHERE payload::text ILIKE $1 ORDER BY created_at DESC LIMIT $2::bigint;

-- name: SubmissionExistsByField
SELECT 1 FROM submissions WHERE kind = $1 AND payload ->> $2::text = $3 LIMIT 1;

-- name: SubmissionExistsByPayload
SELECT 1 FROM submissions WHERE kind = $1 AND payload @> $2::jsonb LIMIT 1;

-- name: SubmissionCount
SELECT COUNT(*), COUNT(*) FILTER (WHERE status = 'error') FROM submissions WHERE kind = $1;

-- name: SubmissionLastAction
SELECT s.id, (SELECT a.action FROM automation_audits AS a WHERE a.meta ->> 'sid' = s.id ORDER BY a.at DESC LIMIT 1)
FROM submissions AS s WHERE s.kind = $1 ORDER BY s.created_at DESC LIMIT $2::bigint;

-- name: AuditInsert
INSERT INTO automation_audits (actor_cpf, actor_nome, kind, action, meta) VALUES ($1, $2, $3, $4, $5::jsonb);

-- name: AuditInsertAt
INSERT INTO automation_audits (at, actor_cpf, actor_nome, kind, action, meta) VALUES ($1, $2, $3, $4, $5, $6::jsonb);

-- name: AuditList
SELECT id, at, actor_cpf, actor_nome, kind, action, meta FROM automation_audits
WHERE kind = $1 AND action = $2 AND actor_cpf = $3 AND at >= $4 AND at < $5
ORDER BY at DESC LIMIT $6::bigint OFFSET $7::bigint;

-- name: AuditListBySubmission
SELECT * FROM automation_audits WHERE meta ->> 'sid' = $1 ORDER BY at;

-- name: AuditKinds
SELECT DISTINCT kind FROM automation_audits ORDER BY kind;

-- name: AuditActions
SELECT DISTINCT action FROM automation_audits WHERE kind = $1 ORDER BY action;

-- name: FileInsert
INSERT INTO fileshare_items (id, filename, size, content_type, path, owner_id, owner_name, created_at, expires_at, secret_hash, downloads)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0);

-- name: FileGet
SELECT * FROM fileshare_items WHERE id = $1;

-- name: FileList
SELECT * FROM fileshare_items
WHERE deleted_at IS NULL AND expires_at > now() AND owner_id = $1 AND filename ILIKE $2
ORDER BY created_at DESC LIMIT $3::bigint OFFSET $4::bigint;

-- name: FileDownloaded
UPDATE fileshare_items SET downloads = downloads + 1 WHERE id = $1;

-- name: FileDelete
UPDATE fileshare_items SET deleted_at = now() WHERE id = $1 AND deleted_at IS NULL;

-- name: FileExpired
SELECT id, path FROM fileshare_items WHERE deleted_at IS NULL AND expires_at <= now() LIMIT $1::bigint;

-- name: FileDeleteExpired
UPDATE fileshare_items SET deleted_at = now() WHERE id = $1 AND deleted_at IS NULL AND expires_at <= now();
