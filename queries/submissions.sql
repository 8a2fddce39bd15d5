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

-- ListSubmissionsByKindAndActor is the first page of ListSubmissions for the submissions of one kind and actor.
--
-- It is what the panel asks for most, and to plan ListSubmissions takes as long as to run it. It is meant to have one plan for
-- all arguments, in the order of an index, so that an actor with many submissions costs no more than others
-- (plan_cache_mode = force_generic_plan, enable_bitmapscan = off, enable_sort = off).
-- name: ListSubmissionsByKindAndActor :many
SELECT id, kind, version, actor_cpf, actor_nome, actor_email, payload, status, result, error, created_at, updated_at
FROM public.submissions
WHERE kind = @kind::text AND actor_cpf = @actor_cpf::text
ORDER BY created_at DESC, id DESC
LIMIT @row_limit::bigint;

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

-- LockPayloadFields waits until no other transaction creates submissions of the kind with the same values in the fields of
-- the payload, and keeps others waiting until the end of its own. The locks are taken in one order for all.
-- name: LockPayloadFields :execrows
SELECT pg_advisory_xact_lock(keys.key)
FROM (
  SELECT DISTINCT hashtextextended(jsonb_build_array(@kind::text, fields.field, @payload::jsonb ->> fields.field)::text, 7021)
  FROM unnest(@fields::text[]) AS fields (field)
  ORDER BY 1
) AS keys (key);

-- ExistsSubmission tells whether there is a submission of the kind whose payload has the value, as text, in the field; with
-- active only among those that have neither failed nor been deleted softly. CreateSubmission asks the same.
--
-- The legacy indexes serve two fields. For others it is the index on the whole payload, which tells text from numbers, so
-- it is asked for both. CASE keeps the planner from casting what is no number.
-- name: ExistsSubmission :one
SELECT (EXISTS (
  SELECT FROM public.submissions AS s
  WHERE s.kind = @kind::text AND s.payload ->> 'numero' = CASE WHEN @field::text = 'numero' THEN @value::text END
    AND (NOT @active::boolean OR (s.status <> 'error' AND s.result -> '_soft_delete' ->> 'deleted' IS DISTINCT FROM 'true'))
) OR EXISTS (
  SELECT FROM public.submissions AS s
  WHERE s.kind = @kind::text AND s.payload ->> 'protocolo' = CASE WHEN @field::text = 'protocolo' THEN @value::text END
    AND (NOT @active::boolean OR (s.status <> 'error' AND s.result -> '_soft_delete' ->> 'deleted' IS DISTINCT FROM 'true'))
) OR EXISTS (
  SELECT FROM (
    SELECT jsonb_build_object(@field::text, @value::text)
    UNION ALL
    SELECT CASE WHEN @value::text ~ '^-?[0-9]{1,100}([.][0-9]{1,100})?$' THEN jsonb_build_object(@field::text, CAST(@value::text AS numeric)) END
    UNION ALL
    SELECT CASE WHEN @value::text IN ('true', 'false') THEN jsonb_build_object(@field::text, CAST(@value::text AS boolean)) END
  ) AS forms (form)
  JOIN public.submissions AS s ON s.payload @> forms.form
  WHERE @field::text NOT IN ('numero', 'protocolo') AND s.kind = @kind::text AND s.payload ->> @field::text = @value::text
    AND (NOT @active::boolean OR (s.status <> 'error' AND s.result -> '_soft_delete' ->> 'deleted' IS DISTINCT FROM 'true'))
))::boolean AS found;

-- CreateSubmission adds a submission and, in the same statement, its audit event, which names the API token that was
-- used; the hash of the request, if it is given; and what offers it to workers, if queue is set. An id that exists violates
-- submissions_pkey. No row, and nothing added, if an active submission of the kind has the same value in one of the
-- unique_fields of the payload: ask under LockPayloadFields, in a statement of its own.
-- name: CreateSubmission :one
WITH duplicate AS (
  SELECT FROM public.submissions AS s
  WHERE s.kind = @kind AND s.payload ->> 'numero' = CASE WHEN 'numero' = ANY (@unique_fields::text[]) THEN @payload::jsonb ->> 'numero' END
    AND s.status <> 'error' AND s.result -> '_soft_delete' ->> 'deleted' IS DISTINCT FROM 'true'
  UNION ALL
  SELECT FROM public.submissions AS s
  WHERE s.kind = @kind AND s.payload ->> 'protocolo' = CASE WHEN 'protocolo' = ANY (@unique_fields::text[]) THEN @payload::jsonb ->> 'protocolo' END
    AND s.status <> 'error' AND s.result -> '_soft_delete' ->> 'deleted' IS DISTINCT FROM 'true'
  UNION ALL
  SELECT FROM unnest(@unique_fields::text[]) AS fields (field)
  CROSS JOIN LATERAL (
    SELECT jsonb_build_object(fields.field, @payload::jsonb ->> fields.field)
    UNION ALL
    SELECT CASE WHEN @payload::jsonb ->> fields.field ~ '^-?[0-9]{1,100}([.][0-9]{1,100})?$'
           THEN jsonb_build_object(fields.field, (@payload::jsonb ->> fields.field)::numeric) END
    UNION ALL
    SELECT CASE WHEN @payload::jsonb ->> fields.field IN ('true', 'false')
           THEN jsonb_build_object(fields.field, (@payload::jsonb ->> fields.field)::boolean) END
  ) AS forms (form)
  JOIN public.submissions AS s ON s.payload @> forms.form
  WHERE fields.field NOT IN ('numero', 'protocolo') AND s.kind = @kind AND s.payload ->> fields.field = @payload::jsonb ->> fields.field
    AND s.status <> 'error' AND s.result -> '_soft_delete' ->> 'deleted' IS DISTINCT FROM 'true'
), created AS (
  INSERT INTO public.submissions (id, kind, version, actor_cpf, actor_nome, actor_email, payload, status, result)
  SELECT @id, @kind, @version, sqlc.narg('actor_cpf')::text, sqlc.narg('actor_nome')::text, sqlc.narg('actor_email')::text, @payload::jsonb,
         @status::text, sqlc.narg('result')::jsonb
  WHERE NOT EXISTS (SELECT FROM duplicate)
  RETURNING id, kind, version, actor_cpf, actor_nome, actor_email, payload, status, result, error, created_at, updated_at
), audited AS (
  INSERT INTO public.automation_audits (actor_cpf, actor_nome, kind, action, meta)
  SELECT actor_cpf, actor_nome, kind, 'submitted', jsonb_build_object('sid', id, 'status', status, 'token', @token::text)
  FROM created
), requested AS (
  INSERT INTO service.submission_requests (submission_id, request_hash)
  SELECT id, sqlc.narg('request_hash')::bytea FROM created WHERE sqlc.narg('request_hash')::bytea IS NOT NULL
), queued AS (
  INSERT INTO service.submission_queue (submission_id, kind)
  SELECT id, kind FROM created WHERE @queue::boolean
)
SELECT id, kind, version, actor_cpf, actor_nome, actor_email, payload, status, result, error, created_at, updated_at
FROM created;

-- UpdateSubmission changes status, result and error, the first unless it is NULL, the others if they are to be set, and
-- adds the audit event in the same statement: action if the status has changed, else updated. A submission that is done or
-- has failed is offered to workers no more. No row if there is no submission with that id in one of the statuses
-- from_statuses; or, with if_updated_at and what goes with it, if it is not as it was then; or, with worker, if that worker
-- does not have it.
--
-- It locks the row of the queue first, as ClaimSubmissions does.
-- name: UpdateSubmission :one
WITH lease AS (
  SELECT q.worker FROM service.submission_queue AS q WHERE q.submission_id = @id FOR UPDATE
), before AS (
  SELECT locked.id, locked.status FROM public.submissions AS locked
  WHERE locked.id = @id
    AND (SELECT count(*) FROM lease) >= 0
    AND (sqlc.narg('worker')::text IS NULL OR sqlc.narg('worker')::text = (SELECT worker FROM lease))
  FOR UPDATE
), after AS (
  UPDATE public.submissions AS s
  SET status = COALESCE(sqlc.narg('status')::text, s.status),
      result = CASE WHEN @set_result::boolean THEN sqlc.narg('result')::jsonb ELSE s.result END,
      error = CASE WHEN @set_error::boolean THEN sqlc.narg('error')::text ELSE s.error END
  FROM before
  WHERE s.id = before.id AND before.status = ANY (@from_statuses::text[])
    AND (sqlc.narg('if_updated_at')::timestamptz IS NULL
         OR (s.updated_at, s.status) = (sqlc.narg('if_updated_at')::timestamptz, sqlc.narg('if_status')::text)
            AND s.result IS NOT DISTINCT FROM sqlc.narg('if_result')::jsonb AND s.error IS NOT DISTINCT FROM sqlc.narg('if_error')::text)
  RETURNING s.id, s.kind, s.version, s.actor_cpf, s.actor_nome, s.actor_email, s.payload, s.status, s.result, s.error,
            s.created_at, s.updated_at, before.status AS status_before
), audited AS (
  INSERT INTO public.automation_audits (actor_cpf, actor_nome, kind, action, meta)
  SELECT actor_cpf, actor_nome, kind, CASE WHEN status = status_before THEN 'updated' ELSE @action::text END,
         jsonb_build_object('sid', id, 'status', status, 'token', @token::text)
  FROM after
), ended AS (
  DELETE FROM service.submission_queue AS q USING after WHERE q.submission_id = after.id AND after.status IN ('done', 'error')
)
SELECT id, kind, version, actor_cpf, actor_nome, actor_email, payload, status, result, error, created_at, updated_at
FROM after;
