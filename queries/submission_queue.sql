-- GetBacklog tells for how many seconds the oldest submission of the queue has been waiting for a worker, 0 if none does, and
-- how many that were never in the queue have been running for longer than since running_since.
-- name: GetBacklog :one
SELECT COALESCE((
         SELECT extract(epoch FROM now() - min(greatest(q.enqueued_at, q.lease_until)))
         FROM service.submission_queue AS q
         WHERE q.lease_until IS NULL OR q.lease_until <= now()
       ), 0)::float8 AS oldest_seconds,
       (SELECT count(*)
        FROM public.submissions AS s
        WHERE s.status = 'running' AND s.updated_at < @running_since
          AND NOT EXISTS (SELECT FROM service.submission_queue AS q WHERE q.submission_id = s.id))::bigint AS long_running;

-- ClaimSubmissions gives a worker the oldest submissions of the kinds that nobody works on, or whose lease has expired, and
-- adds the audit event of each. Those that are queued become running; those that were running stay so.
--
-- Rows that another claim is looking at are passed over, so that workers never wait for each other. Each kind gives as many
-- as are wanted, of which the oldest are taken.
-- name: ClaimSubmissions :many
WITH candidates AS (
  SELECT free.submission_id
  FROM unnest(@kinds::text[]) AS kinds (kind)
  CROSS JOIN LATERAL (
    SELECT q.submission_id, q.enqueued_at
    FROM service.submission_queue AS q
    JOIN public.submissions AS s ON s.id = q.submission_id
    WHERE q.kind = kinds.kind AND (q.lease_until IS NULL OR q.lease_until <= now()) AND s.status IN ('queued', 'running')
    ORDER BY q.enqueued_at, q.submission_id
    LIMIT @row_limit::bigint
    FOR UPDATE OF q SKIP LOCKED
  ) AS free
  ORDER BY free.enqueued_at, free.submission_id
  LIMIT @row_limit::bigint
), started AS (
  UPDATE public.submissions AS s
  SET status = 'running'
  FROM candidates
  WHERE s.id = candidates.submission_id AND s.status = 'queued'
  RETURNING s.id, s.kind, s.version, s.actor_cpf, s.actor_nome, s.actor_email, s.payload, s.status, s.result, s.error,
            s.created_at, s.updated_at
), claimed AS (
  SELECT id, kind, version, actor_cpf, actor_nome, actor_email, payload, status, result, error, created_at, updated_at
  FROM started
  UNION ALL
  SELECT s.id, s.kind, s.version, s.actor_cpf, s.actor_nome, s.actor_email, s.payload, s.status, s.result, s.error,
         s.created_at, s.updated_at
  FROM candidates
  JOIN public.submissions AS s ON s.id = candidates.submission_id
  WHERE s.status = 'running'
), leased AS (
  UPDATE service.submission_queue AS q
  SET worker = @worker::text, lease_until = now() + make_interval(secs => @lease_seconds::float8), attempts = q.attempts + 1
  FROM claimed
  WHERE q.submission_id = claimed.id
  RETURNING q.submission_id, q.lease_until, q.attempts, q.enqueued_at
), audited AS (
  INSERT INTO public.automation_audits (actor_cpf, actor_nome, kind, action, meta)
  SELECT c.actor_cpf, c.actor_nome, c.kind, CASE WHEN leased.attempts = 1 THEN 'running' ELSE 'reclaimed' END,
         jsonb_build_object('sid', c.id, 'status', c.status, 'worker', @worker::text, 'attempt', leased.attempts, 'token', @token::text)
  FROM claimed AS c
  JOIN leased ON leased.submission_id = c.id
)
SELECT c.id, c.kind, c.version, c.actor_cpf, c.actor_nome, c.actor_email, c.payload, c.status, c.result, c.error, c.created_at, c.updated_at,
       leased.lease_until::timestamptz AS lease_until, leased.attempts::int AS attempts
FROM claimed AS c
JOIN leased ON leased.submission_id = c.id
ORDER BY leased.enqueued_at, c.id;

-- ExtendLease gives a worker more time for a submission that it has. No row if it does not have it.
-- name: ExtendLease :one
UPDATE service.submission_queue
SET lease_until = now() + make_interval(secs => @lease_seconds::float8)
WHERE submission_id = @submission_id AND worker = @worker::text
RETURNING lease_until::timestamptz AS lease_until, attempts;

-- DeleteEndedSubmissions takes what has ended without this service, as the legacy code may do it, out of the queue.
-- name: DeleteEndedSubmissions :execrows
DELETE FROM service.submission_queue AS q
USING public.submissions AS s
WHERE s.id = q.submission_id AND s.status IN ('done', 'error');
