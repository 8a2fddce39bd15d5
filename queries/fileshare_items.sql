-- GetFile returns a file, also one that has expired or is deleted; no row if there
-- is none with that id.
-- name: GetFile :one
SELECT sqlc.embed(f), (f.expires_at <= now())::boolean AS expired
FROM public.fileshare_items AS f
WHERE f.id = @id;

-- GetFileByLink is GetFile for the file of the link whose token has that SHA-256, with what is to know of the link; no row if
-- there is no such link.
-- name: GetFileByLink :one
SELECT sqlc.embed(f), (f.expires_at <= now())::boolean AS expired,
       l.id AS link_id, l.expires_at AS link_expires_at, (l.revoked_at IS NOT NULL)::boolean AS revoked, (l.expires_at <= now())::boolean AS link_expired
FROM service.file_links AS l
JOIN public.fileshare_items AS f ON f.id = l.file_id
WHERE l.token_hash = @token_hash;

-- ListFiles returns the newest files first. A filter that is NULL does not filter; before_at and before_id, the key of the last
-- row of the page before, are NULL together. It is meant to be planned for its very arguments, as ListSubmissions.
-- name: ListFiles :many
SELECT id, filename, size, content_type, path, owner_id, owner_name, created_at, expires_at, secret_hash, downloads, deleted_at, sha256,
       max_downloads, purged_at
FROM public.fileshare_items
WHERE (sqlc.narg('owner_id')::text IS NULL OR owner_id = sqlc.narg('owner_id')::text)
  AND (sqlc.narg('deleted')::boolean IS NULL
       OR (sqlc.narg('deleted')::boolean AND deleted_at IS NOT NULL)
       OR (NOT sqlc.narg('deleted')::boolean AND deleted_at IS NULL))
  AND (sqlc.narg('expired')::boolean IS NULL
       OR (sqlc.narg('expired')::boolean AND expires_at <= now())
       OR (NOT sqlc.narg('expired')::boolean AND expires_at > now()))
  AND (sqlc.narg('before_at')::timestamptz IS NULL
       OR (created_at, id) < (sqlc.narg('before_at')::timestamptz, sqlc.narg('before_id')::text))
  AND (sqlc.narg('q_pattern')::text IS NULL OR concat_ws(' ', filename, owner_name) ILIKE sqlc.narg('q_pattern')::text)
ORDER BY created_at DESC, id DESC
LIMIT @row_limit::bigint OFFSET @row_offset::bigint;

-- ListUnexpiredFiles is ListFiles for files that have not expired. They are those of some weeks, which are all read and sorted:
-- ordered by time of creation, the planner would look for them among all files there ever were.
-- name: ListUnexpiredFiles :many
WITH unexpired AS MATERIALIZED (
  SELECT id, filename, size, content_type, path, owner_id, owner_name, created_at, expires_at, secret_hash, downloads, deleted_at, sha256,
         max_downloads, purged_at
  FROM public.fileshare_items
  WHERE expires_at > now()
    AND (sqlc.narg('owner_id')::text IS NULL OR owner_id = sqlc.narg('owner_id')::text)
    AND (sqlc.narg('deleted')::boolean IS NULL OR (deleted_at IS NOT NULL) = sqlc.narg('deleted')::boolean)
    AND (sqlc.narg('before_at')::timestamptz IS NULL
         OR (created_at, id) < (sqlc.narg('before_at')::timestamptz, sqlc.narg('before_id')::text))
    AND (sqlc.narg('q_pattern')::text IS NULL OR concat_ws(' ', filename, owner_name) ILIKE sqlc.narg('q_pattern')::text)
)
SELECT id, filename, size, content_type, path, owner_id, owner_name, created_at, expires_at, secret_hash, downloads, deleted_at, sha256,
       max_downloads, purged_at
FROM unexpired
ORDER BY created_at DESC, id DESC
LIMIT @row_limit::bigint OFFSET @row_offset::bigint;

-- ListStoredFiles returns, in the order of their ids, those behind after_id that have not expired and are not deleted: their
-- bytes have to be there.
-- name: ListStoredFiles :many
SELECT id, path, size, sha256
FROM public.fileshare_items
WHERE id > @after_id::text AND deleted_at IS NULL AND expires_at > now()
ORDER BY id
LIMIT @row_limit::bigint;

-- ListKnownPaths returns the paths under which the files and uploads with these ids have their bytes, or may have them still.
-- name: ListKnownPaths :many
SELECT id, path FROM public.fileshare_items WHERE id = ANY (@ids::text[]) AND purged_at IS NULL
UNION ALL
SELECT file_id, path FROM service.file_uploads WHERE file_id = ANY (@ids::text[]);

-- CountStoredFiles counts what ListStoredFiles lists.
-- name: CountStoredFiles :one
SELECT count(*) FROM public.fileshare_items WHERE deleted_at IS NULL AND expires_at > now();

-- CreateFile makes a file of an upload, with its audit event, which names the API token that was used. No row, and nothing
-- added, if the upload is abandoned: its bytes may be gone.
-- name: CreateFile :one
WITH upload AS (
  DELETE FROM service.file_uploads AS u
  WHERE u.file_id = @id AND u.abandoned_at IS NULL
  RETURNING u.file_id, u.path
), created AS (
  INSERT INTO public.fileshare_items (id, filename, size, content_type, path, owner_id, owner_name, created_at, expires_at, secret_hash,
                                      sha256, max_downloads)
  SELECT upload.file_id, @filename::text, @size::bigint, @content_type::text, upload.path, sqlc.narg('owner_id')::text,
         sqlc.narg('owner_name')::text, now(), now() + make_interval(hours => @ttl_hours::int), sqlc.narg('secret_hash')::text,
         @sha256::bytea, sqlc.narg('max_downloads')::int
  FROM upload
  RETURNING id, filename, size, content_type, path, owner_id, owner_name, created_at, expires_at, secret_hash, downloads, deleted_at,
            sha256, max_downloads, purged_at
), audited AS (
  INSERT INTO public.automation_audits (actor_cpf, actor_nome, kind, action, meta)
  SELECT owner_id, owner_name, 'fileshare', 'uploaded',
         jsonb_build_object('target_id', id, 'filename', filename, 'size', size, 'owner', owner_id, 'token', @token::text)
  FROM created
)
SELECT id, filename, size, content_type, path, owner_id, owner_name, created_at, expires_at, secret_hash, downloads, deleted_at, sha256,
       max_downloads, purged_at
FROM created;

-- StartDownload counts a download of a file, with its audit event, and returns how many there have been. Not counted is one
-- that continues, by that many bytes, what the same address has started in the last 24 hours, as long as what it asks for to go
-- on is no more than ten times the file: who loses the connection again and again asks for the rest each time. No row if the
-- file has expired, is deleted or has been downloaded as often as it may be, or if the link by which it is asked for has ended.
--
-- Racing downloads wait for the row of the file, and each looks anew at the count that the one before has left.
-- name: StartDownload :one
WITH going_on AS (
  UPDATE service.file_downloads AS d
  SET continued = d.continued + @continued::bigint
  FROM public.fileshare_items AS f
  WHERE @continued::bigint > 0 AND d.file_id = @id AND d.address = @address AND d.started_at > now() - interval '24 hours'
    AND f.id = d.file_id AND f.deleted_at IS NULL AND f.expires_at > now()
    AND (d.continued + @continued::bigint) / 10 <= f.size
  RETURNING f.downloads
), counted AS (
  UPDATE public.fileshare_items AS f
  SET downloads = f.downloads + 1
  WHERE f.id = @id AND f.deleted_at IS NULL AND f.expires_at > now()
    AND (f.max_downloads IS NULL OR f.downloads < f.max_downloads)
    AND NOT EXISTS (SELECT FROM going_on)
    AND (sqlc.narg('link_id')::uuid IS NULL
         OR EXISTS (SELECT FROM service.file_links AS l WHERE l.id = sqlc.narg('link_id')::uuid AND l.revoked_at IS NULL AND l.expires_at > now()))
  RETURNING f.id, f.filename, f.size, f.owner_id, f.downloads
), remembered AS (
  INSERT INTO service.file_downloads AS d (file_id, address)
  SELECT id, @address FROM counted
  ON CONFLICT (file_id, address) DO UPDATE SET started_at = excluded.started_at, continued = 0
), audited AS (
  INSERT INTO public.automation_audits (actor_cpf, kind, action, meta)
  SELECT sqlc.narg('actor_cpf')::text, 'fileshare', @action::text,
         jsonb_build_object('target_id', id, 'filename', filename, 'size', size, 'owner', owner_id, 'token', sqlc.narg('token')::text,
                            'link', sqlc.narg('link_id')::uuid, 'address', @address)
  FROM counted
)
SELECT downloads FROM counted
UNION ALL
SELECT downloads FROM going_on;

-- UpdateFileSecretHash puts another hash of the same secret in the place of the one that is known, with its audit event.
-- name: UpdateFileSecretHash :execrows
WITH changed AS (
  UPDATE public.fileshare_items AS f
  SET secret_hash = @secret_hash::text
  WHERE f.id = @id AND f.secret_hash = @old_secret_hash::text
  RETURNING f.id
)
INSERT INTO public.automation_audits (kind, action, meta)
SELECT 'fileshare', 'secret_rehashed', jsonb_build_object('target_id', id) FROM changed;

-- SoftDeleteFile deletes a file, with its audit event; ClaimPurges then finds its bytes. No row if it is deleted already or there
-- is none with that id.
-- name: SoftDeleteFile :execrows
WITH deleted AS (
  UPDATE public.fileshare_items AS f
  SET deleted_at = now()
  WHERE f.id = @id AND f.deleted_at IS NULL
  RETURNING f.id, f.filename, f.size, f.owner_id
)
INSERT INTO public.automation_audits (kind, action, meta)
SELECT 'fileshare', 'deleted', jsonb_build_object('target_id', id, 'filename', filename, 'size', size, 'owner', owner_id, 'token', @token::text)
FROM deleted;

-- SoftDeleteExpiredFiles deletes files whose time is over, those first that have waited longest, with the audit event of each,
-- and returns how many. Files that somebody else is changing are passed over.
-- name: SoftDeleteExpiredFiles :execrows
WITH due AS (
  SELECT f.id FROM public.fileshare_items AS f
  WHERE f.deleted_at IS NULL AND f.expires_at <= now()
  ORDER BY f.expires_at
  LIMIT @row_limit::bigint
  FOR UPDATE SKIP LOCKED
), deleted AS (
  UPDATE public.fileshare_items AS f
  SET deleted_at = now()
  FROM due
  WHERE f.id = due.id
  RETURNING f.id, f.filename, f.size, f.owner_id, f.expires_at
)
INSERT INTO public.automation_audits (kind, action, meta)
SELECT 'fileshare', 'expired', jsonb_build_object('target_id', id, 'filename', filename, 'size', size, 'owner', owner_id, 'expired_at', expires_at)
FROM deleted;

-- SoftDeleteBrokenFile deletes a file whose bytes are not there, or are not to be served any more and are nobody's to remove,
-- with its audit event. No row if it has been deleted meanwhile.
-- name: SoftDeleteBrokenFile :execrows
WITH deleted AS (
  UPDATE public.fileshare_items AS f
  SET deleted_at = now(), purged_at = now()
  WHERE f.id = @id AND f.path = @path AND f.deleted_at IS NULL
  RETURNING f.id, f.filename, f.size, f.owner_id
)
INSERT INTO public.automation_audits (kind, action, meta)
SELECT 'fileshare', 'repaired',
       jsonb_build_object('target_id', id, 'filename', filename, 'size', size, 'owner', owner_id, 'found', @found::text)
FROM deleted;
