-- ClaimPurges gives a sweeper deleted files whose bytes may still be there, those first that have waited longest. No other one
-- gets them until it has confirmed or released them, or ten minutes have passed.
-- name: ClaimPurges :many
WITH due AS (
  SELECT f.id, f.path FROM public.fileshare_items AS f
  WHERE f.deleted_at IS NOT NULL AND f.purged_at IS NULL
    AND NOT EXISTS (SELECT FROM service.file_purges AS p WHERE p.file_id = f.id AND p.claimed_at > now() - interval '10 minutes')
  ORDER BY f.deleted_at, f.id
  LIMIT @row_limit::bigint
  FOR UPDATE OF f SKIP LOCKED
), claimed AS (
  INSERT INTO service.file_purges AS p (file_id)
  SELECT id FROM due
  ON CONFLICT (file_id) DO UPDATE SET claimed_at = excluded.claimed_at WHERE p.claimed_at <= now() - interval '10 minutes'
  RETURNING p.file_id
)
SELECT due.id, due.path
FROM due
JOIN claimed ON claimed.file_id = due.id
ORDER BY due.id;

-- PostponePurges keeps all sweepers from these files for a day.
-- name: PostponePurges :execrows
UPDATE service.file_purges SET claimed_at = now() + interval '1 day' WHERE file_id = ANY (@ids::text[]);

-- ConfirmPurges says that the bytes of these files are gone.
-- name: ConfirmPurges :execrows
WITH released AS (
  DELETE FROM service.file_purges AS p WHERE p.file_id = ANY (@ids::text[])
)
UPDATE public.fileshare_items AS f
SET purged_at = now()
WHERE f.id = ANY (@ids::text[]) AND f.deleted_at IS NOT NULL AND f.purged_at IS NULL;

-- ReleasePurges lets the next sweeper have these files.
-- name: ReleasePurges :execrows
DELETE FROM service.file_purges WHERE file_id = ANY (@ids::text[]);
