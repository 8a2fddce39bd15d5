-- GetSubmission returns one submission; no row if there is none with that id.
-- name: GetSubmission :one
SELECT id, kind, version, actor_cpf, actor_nome, actor_email, payload, status, result, error, created_at, updated_at
FROM public.submissions
WHERE id = @id;

-- ListSubmissions returns the newest submissions first. A filter that is NULL does not filter; before_at and before_id,
-- the key of the last row of the page before, are NULL together.
--
-- It is meant to be planned for its very arguments (plan_cache_mode = force_custom_plan): the filters that are NULL then
-- vanish, and an index gives the others in the order of the list. No index serves q_pattern and payload for rare and
-- common values alike: they look at each row that the other filters leave, until the page is full, so a statement timeout
-- has to bound them.
-- name: ListSubmissions :many
SELECT id, kind, version, actor_cpf, actor_nome, actor_email, payload, status, result, error, created_at, updated_at
FROM public.submissions
WHERE (sqlc.narg('kind')::text IS NULL OR kind = sqlc.narg('kind')::text)
  AND (sqlc.narg('actor_cpf')::text IS NULL OR actor_cpf = sqlc.narg('actor_cpf')::text)
  AND (sqlc.narg('actor_email')::text IS NULL OR actor_email = sqlc.narg('actor_email')::text)
  AND (sqlc.narg('since')::timestamptz IS NULL OR created_at >= sqlc.narg('since')::timestamptz)
  AND (sqlc.narg('until')::timestamptz IS NULL OR created_at < sqlc.narg('until')::timestamptz)
  AND (sqlc.narg('before_at')::timestamptz IS NULL
       OR (created_at, id) < (sqlc.narg('before_at')::timestamptz, sqlc.narg('before_id')::text))
  AND (sqlc.narg('payload')::jsonb IS NULL OR payload @> sqlc.narg('payload')::jsonb)
  AND (sqlc.narg('q_pattern')::text IS NULL
       OR concat_ws(' ', id, actor_nome, actor_email, error, payload::text) ILIKE sqlc.narg('q_pattern')::text)
ORDER BY created_at DESC, id DESC
LIMIT @row_limit::bigint OFFSET @row_offset::bigint;

-- ListSubmissionsByStatus is ListSubmissions for the rows in one of the statuses.
--
-- An index gives the rows of one status in order, but not those of several, so the newest of each status are merged.
-- The statuses are written out because the planner must know how many rows each of them has; the branches of those that
-- are not asked for are never executed.
-- name: ListSubmissionsByStatus :many
SELECT id, kind, version, actor_cpf, actor_nome, actor_email, payload, status, result, error, created_at, updated_at
FROM (
  (SELECT id, kind, version, actor_cpf, actor_nome, actor_email, payload, status, result, error, created_at, updated_at
   FROM public.submissions
   WHERE status = 'queued' AND 'queued' = ANY (@statuses::text[])
     AND (sqlc.narg('kind')::text IS NULL OR kind = sqlc.narg('kind')::text)
     AND (sqlc.narg('actor_cpf')::text IS NULL OR actor_cpf = sqlc.narg('actor_cpf')::text)
     AND (sqlc.narg('actor_email')::text IS NULL OR actor_email = sqlc.narg('actor_email')::text)
     AND (sqlc.narg('since')::timestamptz IS NULL OR created_at >= sqlc.narg('since')::timestamptz)
     AND (sqlc.narg('until')::timestamptz IS NULL OR created_at < sqlc.narg('until')::timestamptz)
     AND (sqlc.narg('before_at')::timestamptz IS NULL
          OR (created_at, id) < (sqlc.narg('before_at')::timestamptz, sqlc.narg('before_id')::text))
     AND (sqlc.narg('payload')::jsonb IS NULL OR payload @> sqlc.narg('payload')::jsonb)
     AND (sqlc.narg('q_pattern')::text IS NULL
          OR concat_ws(' ', id, actor_nome, actor_email, error, payload::text) ILIKE sqlc.narg('q_pattern')::text)
   ORDER BY created_at DESC, id DESC
   LIMIT sqlc.arg('row_limit')::bigint + sqlc.arg('row_offset')::bigint)
  UNION ALL
  (SELECT id, kind, version, actor_cpf, actor_nome, actor_email, payload, status, result, error, created_at, updated_at
   FROM public.submissions
   WHERE status = 'running' AND 'running' = ANY (@statuses::text[])
     AND (sqlc.narg('kind')::text IS NULL OR kind = sqlc.narg('kind')::text)
     AND (sqlc.narg('actor_cpf')::text IS NULL OR actor_cpf = sqlc.narg('actor_cpf')::text)
     AND (sqlc.narg('actor_email')::text IS NULL OR actor_email = sqlc.narg('actor_email')::text)
     AND (sqlc.narg('since')::timestamptz IS NULL OR created_at >= sqlc.narg('since')::timestamptz)
     AND (sqlc.narg('until')::timestamptz IS NULL OR created_at < sqlc.narg('until')::timestamptz)
     AND (sqlc.narg('before_at')::timestamptz IS NULL
          OR (created_at, id) < (sqlc.narg('before_at')::timestamptz, sqlc.narg('before_id')::text))
     AND (sqlc.narg('payload')::jsonb IS NULL OR payload @> sqlc.narg('payload')::jsonb)
     AND (sqlc.narg('q_pattern')::text IS NULL
          OR concat_ws(' ', id, actor_nome, actor_email, error, payload::text) ILIKE sqlc.narg('q_pattern')::text)
   ORDER BY created_at DESC, id DESC
   LIMIT sqlc.arg('row_limit')::bigint + sqlc.arg('row_offset')::bigint)
  UNION ALL
  (SELECT id, kind, version, actor_cpf, actor_nome, actor_email, payload, status, result, error, created_at, updated_at
   FROM public.submissions
   WHERE status = 'done' AND 'done' = ANY (@statuses::text[])
     AND (sqlc.narg('kind')::text IS NULL OR kind = sqlc.narg('kind')::text)
     AND (sqlc.narg('actor_cpf')::text IS NULL OR actor_cpf = sqlc.narg('actor_cpf')::text)
     AND (sqlc.narg('actor_email')::text IS NULL OR actor_email = sqlc.narg('actor_email')::text)
     AND (sqlc.narg('since')::timestamptz IS NULL OR created_at >= sqlc.narg('since')::timestamptz)
     AND (sqlc.narg('until')::timestamptz IS NULL OR created_at < sqlc.narg('until')::timestamptz)
     AND (sqlc.narg('before_at')::timestamptz IS NULL
          OR (created_at, id) < (sqlc.narg('before_at')::timestamptz, sqlc.narg('before_id')::text))
     AND (sqlc.narg('payload')::jsonb IS NULL OR payload @> sqlc.narg('payload')::jsonb)
     AND (sqlc.narg('q_pattern')::text IS NULL
          OR concat_ws(' ', id, actor_nome, actor_email, error, payload::text) ILIKE sqlc.narg('q_pattern')::text)
   ORDER BY created_at DESC, id DESC
   LIMIT sqlc.arg('row_limit')::bigint + sqlc.arg('row_offset')::bigint)
  UNION ALL
  (SELECT id, kind, version, actor_cpf, actor_nome, actor_email, payload, status, result, error, created_at, updated_at
   FROM public.submissions
   WHERE status = 'error' AND 'error' = ANY (@statuses::text[])
     AND (sqlc.narg('kind')::text IS NULL OR kind = sqlc.narg('kind')::text)
     AND (sqlc.narg('actor_cpf')::text IS NULL OR actor_cpf = sqlc.narg('actor_cpf')::text)
     AND (sqlc.narg('actor_email')::text IS NULL OR actor_email = sqlc.narg('actor_email')::text)
     AND (sqlc.narg('since')::timestamptz IS NULL OR created_at >= sqlc.narg('since')::timestamptz)
     AND (sqlc.narg('until')::timestamptz IS NULL OR created_at < sqlc.narg('until')::timestamptz)
     AND (sqlc.narg('before_at')::timestamptz IS NULL
          OR (created_at, id) < (sqlc.narg('before_at')::timestamptz, sqlc.narg('before_id')::text))
     AND (sqlc.narg('payload')::jsonb IS NULL OR payload @> sqlc.narg('payload')::jsonb)
     AND (sqlc.narg('q_pattern')::text IS NULL
          OR concat_ws(' ', id, actor_nome, actor_email, error, payload::text) ILIKE sqlc.narg('q_pattern')::text)
   ORDER BY created_at DESC, id DESC
   LIMIT sqlc.arg('row_limit')::bigint + sqlc.arg('row_offset')::bigint)
) AS newest
ORDER BY created_at DESC, id DESC
LIMIT @row_limit::bigint OFFSET @row_offset::bigint;

-- CountSubmissions counts the submissions made in [since, until) by kind, status and day in the time zone tz.
--
-- It steps from kind to kind through the index on (kind, status, created_at) and reads only the part of that index that
-- lies in the time asked for.
-- name: CountSubmissions :many
WITH RECURSIVE kinds AS (
  (SELECT kind FROM public.submissions ORDER BY kind LIMIT 1)
  UNION ALL
  SELECT (SELECT s.kind FROM public.submissions AS s WHERE s.kind > kinds.kind ORDER BY s.kind LIMIT 1)
  FROM kinds
  WHERE kinds.kind IS NOT NULL
)
SELECT kinds.kind::text AS kind, statuses.status::text AS status, to_char(days.day, 'YYYY-MM-DD') AS day, days.count::bigint AS count
FROM kinds
CROSS JOIN unnest(ARRAY['queued', 'running', 'done', 'error']) AS statuses (status)
CROSS JOIN LATERAL (
  SELECT (s.created_at AT TIME ZONE sqlc.arg('tz')::text)::date AS day, count(*) AS count
  FROM public.submissions AS s
  WHERE s.kind = kinds.kind
    AND s.status = statuses.status
    AND s.created_at >= sqlc.arg('since')::timestamptz
    AND s.created_at < sqlc.arg('until')::timestamptz
  GROUP BY 1
) AS days
ORDER BY day, kind, status;

-- CreateSubmission adds a submission and, in the same statement, its audit event, which names the API token that was
-- used. An id that exists violates submissions_pkey.
-- name: CreateSubmission :one
WITH created AS (
  INSERT INTO public.submissions (id, kind, version, actor_cpf, actor_nome, actor_email, payload, status, result)
  VALUES (@id, @kind, @version, sqlc.narg('actor_cpf'), sqlc.narg('actor_nome'), sqlc.narg('actor_email'), @payload, @status, sqlc.narg('result'))
  RETURNING id, kind, version, actor_cpf, actor_nome, actor_email, payload, status, result, error, created_at, updated_at
), audited AS (
  INSERT INTO public.automation_audits (actor_cpf, actor_nome, kind, action, meta)
  SELECT actor_cpf, actor_nome, kind, 'submitted', jsonb_build_object('sid', id, 'status', status, 'token', @token::text)
  FROM created
)
SELECT id, kind, version, actor_cpf, actor_nome, actor_email, payload, status, result, error, created_at, updated_at
FROM created;

-- UpdateSubmission changes status, result and error, the first unless it is NULL, the others if they are to be set, and
-- adds the audit event in the same statement: action if the status has changed, else updated. No row if there is no
-- submission with that id in one of the statuses from_statuses.
-- name: UpdateSubmission :one
WITH before AS (
  SELECT locked.id, locked.status FROM public.submissions AS locked WHERE locked.id = @id FOR UPDATE
), after AS (
  UPDATE public.submissions AS s
  SET status = COALESCE(sqlc.narg('status')::text, s.status),
      result = CASE WHEN @set_result::boolean THEN sqlc.narg('result')::jsonb ELSE s.result END,
      error = CASE WHEN @set_error::boolean THEN sqlc.narg('error')::text ELSE s.error END
  FROM before
  WHERE s.id = before.id AND before.status = ANY (@from_statuses::text[])
  RETURNING s.id, s.kind, s.version, s.actor_cpf, s.actor_nome, s.actor_email, s.payload, s.status, s.result, s.error,
            s.created_at, s.updated_at, before.status AS status_before
), audited AS (
  INSERT INTO public.automation_audits (actor_cpf, actor_nome, kind, action, meta)
  SELECT actor_cpf, actor_nome, kind, CASE WHEN status = status_before THEN 'updated' ELSE @action::text END,
         jsonb_build_object('sid', id, 'status', status, 'token', @token::text)
  FROM after
)
SELECT id, kind, version, actor_cpf, actor_nome, actor_email, payload, status, result, error, created_at, updated_at
FROM after;
