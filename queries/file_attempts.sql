-- CountAttempt counts an attempt to open a file with a secret as a wrong one, before it is known whether it is: attempts that
-- race cannot pass the limits then. It tells whether the limits of the address and of the file leave room for it; an attempt
-- that they do not is not counted. A window of 15 minutes begins with its first attempt.
--
-- The address comes first: one that has used up its attempts must not use up those of the file.
-- name: CountAttempt :one
WITH by_address AS (
  INSERT INTO service.file_attempts AS a (scope, key, failures) VALUES ('address', @address, 1)
  ON CONFLICT (scope, key) DO UPDATE
  SET window_started_at = CASE WHEN a.window_started_at <= now() - interval '15 minutes' THEN now() ELSE a.window_started_at END,
      failures = CASE WHEN a.window_started_at <= now() - interval '15 minutes' THEN 1 ELSE a.failures + 1 END
  WHERE a.failures < @address_limit::int OR a.window_started_at <= now() - interval '15 minutes'
  RETURNING a.key
), by_item AS (
  INSERT INTO service.file_attempts AS a (scope, key, failures) SELECT 'item', @file_id::text, 1 FROM by_address
  ON CONFLICT (scope, key) DO UPDATE
  SET window_started_at = CASE WHEN a.window_started_at <= now() - interval '15 minutes' THEN now() ELSE a.window_started_at END,
      failures = CASE WHEN a.window_started_at <= now() - interval '15 minutes' THEN 1 ELSE a.failures + 1 END
  WHERE a.failures < @item_limit::int OR a.window_started_at <= now() - interval '15 minutes'
  RETURNING a.key
)
SELECT EXISTS (SELECT FROM by_item)::boolean AS counted;

-- ReturnAttempt takes back what CountAttempt has counted: the secret was right. It locks the rows in the same order.
-- name: ReturnAttempt :execrows
WITH locked AS (
  SELECT a.scope, a.key FROM service.file_attempts AS a
  WHERE (a.scope = 'address' AND a.key = @address::text) OR (a.scope = 'item' AND a.key = @file_id::text)
  ORDER BY a.scope
  FOR UPDATE
)
UPDATE service.file_attempts AS a
SET failures = GREATEST(a.failures - 1, 0)
FROM locked
WHERE a.scope = locked.scope AND a.key = locked.key;

-- DeleteOldAttempts forgets attempts that limit nothing any more.
-- name: DeleteOldAttempts :execrows
DELETE FROM service.file_attempts
WHERE (scope, key) IN (
  SELECT a.scope, a.key FROM service.file_attempts AS a
  WHERE a.window_started_at < now() - interval '1 hour'
  FOR UPDATE SKIP LOCKED
);
