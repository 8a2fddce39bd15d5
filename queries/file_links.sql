-- ListLinks returns the links of a file, the newest first. before_at and before_id, the key of the last row of the page before,
-- are NULL together.
-- name: ListLinks :many
SELECT id, file_id, created_at, expires_at, created_by, actor_cpf, revoked_at
FROM service.file_links
WHERE file_id = @file_id
  AND (sqlc.narg('before_at')::timestamptz IS NULL
       OR (created_at, id) < (sqlc.narg('before_at')::timestamptz, sqlc.narg('before_id')::uuid))
ORDER BY created_at DESC, id DESC
LIMIT @row_limit::bigint;

-- CreateLink adds a link to a file by the SHA-256 of its token, with its audit event. It ends with the file at the latest. No
-- row if the file has expired or is deleted.
-- name: CreateLink :one
WITH created AS (
  INSERT INTO service.file_links (file_id, token_hash, expires_at, created_by, actor_cpf)
  SELECT f.id, @token_hash::bytea, LEAST(f.expires_at, now() + make_interval(hours => @ttl_hours::int)), @token::text,
         sqlc.narg('actor_cpf')::text
  FROM public.fileshare_items AS f
  WHERE f.id = @file_id AND f.deleted_at IS NULL AND f.expires_at > now()
  RETURNING id, file_id, created_at, expires_at, created_by, actor_cpf, revoked_at
), audited AS (
  INSERT INTO public.automation_audits (actor_cpf, kind, action, meta)
  SELECT created.actor_cpf, 'fileshare', 'link_created',
         jsonb_build_object('target_id', f.id, 'filename', f.filename, 'size', f.size, 'owner', f.owner_id, 'token', created.created_by,
                            'link', created.id, 'expires_at', created.expires_at)
  FROM created
  JOIN public.fileshare_items AS f ON f.id = created.file_id
)
SELECT id, file_id, created_at, expires_at, created_by, actor_cpf, revoked_at
FROM created;

-- RevokeLink ends a link of a file, with its audit event; one that is revoked already stays as it is, without another event. No
-- row if the file has no such link.
-- name: RevokeLink :one
WITH revoked AS (
  UPDATE service.file_links AS l
  SET revoked_at = now()
  WHERE l.id = @id AND l.file_id = @file_id AND l.revoked_at IS NULL
  RETURNING l.id, l.file_id
), audited AS (
  INSERT INTO public.automation_audits (kind, action, meta)
  SELECT 'fileshare', 'link_revoked',
         jsonb_build_object('target_id', f.id, 'filename', f.filename, 'size', f.size, 'owner', f.owner_id, 'token', @token::text, 'link', revoked.id)
  FROM revoked
  JOIN public.fileshare_items AS f ON f.id = revoked.file_id
)
SELECT l.id FROM service.file_links AS l WHERE l.id = @id AND l.file_id = @file_id;

-- DeleteOldLinks forgets links that ended more than 90 days ago; their audit events stay.
-- name: DeleteOldLinks :execrows
DELETE FROM service.file_links
WHERE id IN (
  SELECT l.id FROM service.file_links AS l
  WHERE l.expires_at < now() - interval '90 days'
  FOR UPDATE SKIP LOCKED
);
