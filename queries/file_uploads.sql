-- CreateUpload says that bytes are about to be stored.
-- name: CreateUpload :execrows
INSERT INTO service.file_uploads (file_id, path) VALUES (@file_id, @path);

-- TouchUpload says that an upload lasts. No row if it is abandoned.
-- name: TouchUpload :execrows
UPDATE service.file_uploads SET alive_at = now() WHERE file_id = @file_id AND abandoned_at IS NULL;

-- AbandonUpload keeps an upload from becoming a file from now on. No row if it has become one.
-- name: AbandonUpload :execrows
UPDATE service.file_uploads SET abandoned_at = COALESCE(abandoned_at, now()) WHERE file_id = @file_id;

-- ClaimAbandonedUploads gives a sweeper uploads that have not moved on for ten minutes, and keeps them from becoming files. No
-- other one gets them for ten minutes, unless they are released. old tells that an upload has been abandoned for a day, newly
-- that it had not been.
-- name: ClaimAbandonedUploads :many
WITH stale AS (
  SELECT u.file_id, u.abandoned_at FROM service.file_uploads AS u
  WHERE u.alive_at < now() - interval '10 minutes'
    AND (u.claimed_at IS NULL OR u.claimed_at < now() - interval '10 minutes')
  ORDER BY u.alive_at
  LIMIT @row_limit::bigint
  FOR UPDATE SKIP LOCKED
)
UPDATE service.file_uploads AS u
SET abandoned_at = COALESCE(u.abandoned_at, now()), claimed_at = now()
FROM stale
WHERE u.file_id = stale.file_id
RETURNING u.file_id, u.path, (stale.abandoned_at IS NULL)::boolean AS newly, (u.abandoned_at < now() - interval '1 day')::boolean AS old;

-- ReleaseUploads lets the next sweeper have these uploads.
-- name: ReleaseUploads :execrows
UPDATE service.file_uploads SET claimed_at = NULL WHERE file_id = ANY (@file_ids::text[]);

-- DeleteUploads forgets abandoned uploads that have left nothing.
-- name: DeleteUploads :execrows
DELETE FROM service.file_uploads WHERE file_id = ANY (@file_ids::text[]) AND abandoned_at IS NOT NULL;
