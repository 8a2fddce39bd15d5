-- ListAudits returns the newest audit events first. A filter that is NULL does not filter; before_at and before_id, the
-- key of the last row of the page before, are NULL together.
--
-- It is meant to be planned for its very arguments (plan_cache_mode = force_custom_plan), as ListSubmissions is. The
-- indexes hold the first 100 characters of a user_id and a session_id only, so the filters name the whole of a long one too; of
-- a short one they must not, or the planner would expect too few events. No index serves q_pattern: it looks at each event
-- that the other filters leave, until the page is full, so a statement timeout has to bound it.
-- name: ListAudits :many
SELECT id, at, actor_cpf, actor_nome, kind, action, meta
FROM public.automation_audits
WHERE (sqlc.narg('kind')::text IS NULL OR kind = sqlc.narg('kind')::text)
  AND (sqlc.narg('action')::text IS NULL OR action = sqlc.narg('action')::text)
  AND (sqlc.narg('actor_cpf')::text IS NULL OR actor_cpf = sqlc.narg('actor_cpf')::text)
  AND (sqlc.narg('user_id')::text IS NULL
       OR (left(meta ->> 'user_id', 100) = left(sqlc.narg('user_id')::text, 100)
           AND (length(sqlc.narg('user_id')::text) < 100 OR meta ->> 'user_id' = sqlc.narg('user_id')::text)))
  AND (sqlc.narg('session_id')::text IS NULL
       OR (left(meta ->> 'session_id', 100) = left(sqlc.narg('session_id')::text, 100)
           AND (length(sqlc.narg('session_id')::text) < 100 OR meta ->> 'session_id' = sqlc.narg('session_id')::text)))
  AND (sqlc.narg('since')::timestamptz IS NULL OR at >= sqlc.narg('since')::timestamptz)
  AND (sqlc.narg('until')::timestamptz IS NULL OR at < sqlc.narg('until')::timestamptz)
  AND (sqlc.narg('before_at')::timestamptz IS NULL
       OR (at, id) < (sqlc.narg('before_at')::timestamptz, sqlc.narg('before_id')::bigint))
  AND (sqlc.narg('q_pattern')::text IS NULL
       OR concat_ws(' ', actor_nome, kind, action, meta::text) ILIKE sqlc.narg('q_pattern')::text)
ORDER BY at DESC, id DESC
LIMIT @row_limit::bigint OFFSET @row_offset::bigint;

-- ListAuditsByKind is the first page of ListAudits for the events of one kind, with one plan for all arguments as
-- ListSubmissionsByKindAndActor has it.
-- name: ListAuditsByKind :many
SELECT id, at, actor_cpf, actor_nome, kind, action, meta
FROM public.automation_audits
WHERE kind = @kind::text
ORDER BY at DESC, id DESC
LIMIT @row_limit::bigint;

-- ListAuditsByObject is ListAudits for the events that name the object, in meta, under sid or as the first of submissionId,
-- submission_id, target_id, task_id and alert_id that is there, or, if any_key, under user_id or session_id. Unless any_key,
-- task_id and alert_id do not count. also, if it is not NULL, is another object that the event has to name, under any key.
--
-- An index gives the events of one of these expressions in order, but not those of several, so they are merged. An event
-- that names the object several times is left to the first of them.
-- name: ListAuditsByObject :many
SELECT id, at, actor_cpf, actor_nome, kind, action, meta
FROM (
  (SELECT id, at, actor_cpf, actor_nome, kind, action, meta
   FROM public.automation_audits
   WHERE left(meta ->> 'sid', 100) = left(@object::text, 100)
     AND (length(@object::text) < 100 OR meta ->> 'sid' = @object::text)
     AND (sqlc.narg('also')::text IS NULL
          OR sqlc.narg('also')::text IN (meta ->> 'sid', coalesce(meta ->> 'submissionId', meta ->> 'submission_id', meta ->> 'target_id', meta ->> 'task_id', meta ->> 'alert_id'), meta ->> 'user_id', meta ->> 'session_id'))
     AND (sqlc.narg('user_id')::text IS NULL
          OR (left(meta ->> 'user_id', 100) = left(sqlc.narg('user_id')::text, 100)
              AND (length(sqlc.narg('user_id')::text) < 100 OR meta ->> 'user_id' = sqlc.narg('user_id')::text)))
     AND (sqlc.narg('session_id')::text IS NULL
          OR (left(meta ->> 'session_id', 100) = left(sqlc.narg('session_id')::text, 100)
              AND (length(sqlc.narg('session_id')::text) < 100 OR meta ->> 'session_id' = sqlc.narg('session_id')::text)))
     AND (sqlc.narg('kind')::text IS NULL OR kind = sqlc.narg('kind')::text)
     AND (sqlc.narg('action')::text IS NULL OR action = sqlc.narg('action')::text)
     AND (sqlc.narg('actor_cpf')::text IS NULL OR actor_cpf = sqlc.narg('actor_cpf')::text)
     AND (sqlc.narg('since')::timestamptz IS NULL OR at >= sqlc.narg('since')::timestamptz)
     AND (sqlc.narg('until')::timestamptz IS NULL OR at < sqlc.narg('until')::timestamptz)
     AND (sqlc.narg('before_at')::timestamptz IS NULL
          OR (at, id) < (sqlc.narg('before_at')::timestamptz, sqlc.narg('before_id')::bigint))
     AND (sqlc.narg('q_pattern')::text IS NULL
          OR concat_ws(' ', actor_nome, kind, action, meta::text) ILIKE sqlc.narg('q_pattern')::text)
   ORDER BY at DESC, id DESC
   LIMIT sqlc.arg('row_limit')::bigint + sqlc.arg('row_offset')::bigint)
  UNION ALL
  (SELECT id, at, actor_cpf, actor_nome, kind, action, meta
   FROM public.automation_audits
   WHERE left(coalesce(meta ->> 'submissionId', meta ->> 'submission_id', meta ->> 'target_id', meta ->> 'task_id', meta ->> 'alert_id'), 100) = left(@object::text, 100)
     AND (length(@object::text) < 100 OR coalesce(meta ->> 'submissionId', meta ->> 'submission_id', meta ->> 'target_id', meta ->> 'task_id', meta ->> 'alert_id') = @object::text)
     AND (@any_key::boolean OR coalesce(meta ->> 'submissionId', meta ->> 'submission_id', meta ->> 'target_id') = @object::text)
     AND (meta ->> 'sid') IS DISTINCT FROM @object::text
     AND (sqlc.narg('also')::text IS NULL
          OR sqlc.narg('also')::text IN (meta ->> 'sid', coalesce(meta ->> 'submissionId', meta ->> 'submission_id', meta ->> 'target_id', meta ->> 'task_id', meta ->> 'alert_id'), meta ->> 'user_id', meta ->> 'session_id'))
     AND (sqlc.narg('user_id')::text IS NULL
          OR (left(meta ->> 'user_id', 100) = left(sqlc.narg('user_id')::text, 100)
              AND (length(sqlc.narg('user_id')::text) < 100 OR meta ->> 'user_id' = sqlc.narg('user_id')::text)))
     AND (sqlc.narg('session_id')::text IS NULL
          OR (left(meta ->> 'session_id', 100) = left(sqlc.narg('session_id')::text, 100)
              AND (length(sqlc.narg('session_id')::text) < 100 OR meta ->> 'session_id' = sqlc.narg('session_id')::text)))
     AND (sqlc.narg('kind')::text IS NULL OR kind = sqlc.narg('kind')::text)
     AND (sqlc.narg('action')::text IS NULL OR action = sqlc.narg('action')::text)
     AND (sqlc.narg('actor_cpf')::text IS NULL OR actor_cpf = sqlc.narg('actor_cpf')::text)
     AND (sqlc.narg('since')::timestamptz IS NULL OR at >= sqlc.narg('since')::timestamptz)
     AND (sqlc.narg('until')::timestamptz IS NULL OR at < sqlc.narg('until')::timestamptz)
     AND (sqlc.narg('before_at')::timestamptz IS NULL
          OR (at, id) < (sqlc.narg('before_at')::timestamptz, sqlc.narg('before_id')::bigint))
     AND (sqlc.narg('q_pattern')::text IS NULL
          OR concat_ws(' ', actor_nome, kind, action, meta::text) ILIKE sqlc.narg('q_pattern')::text)
   ORDER BY at DESC, id DESC
   LIMIT sqlc.arg('row_limit')::bigint + sqlc.arg('row_offset')::bigint)
  UNION ALL
  (SELECT id, at, actor_cpf, actor_nome, kind, action, meta
   FROM public.automation_audits
   WHERE left(meta ->> 'user_id', 100) = left(@object::text, 100)
     AND (length(@object::text) < 100 OR meta ->> 'user_id' = @object::text)
     AND @any_key::boolean
     AND (meta ->> 'sid') IS DISTINCT FROM @object::text
     AND coalesce(meta ->> 'submissionId', meta ->> 'submission_id', meta ->> 'target_id', meta ->> 'task_id', meta ->> 'alert_id') IS DISTINCT FROM @object::text
     AND (sqlc.narg('also')::text IS NULL
          OR sqlc.narg('also')::text IN (meta ->> 'sid', coalesce(meta ->> 'submissionId', meta ->> 'submission_id', meta ->> 'target_id', meta ->> 'task_id', meta ->> 'alert_id'), meta ->> 'user_id', meta ->> 'session_id'))
     AND (sqlc.narg('user_id')::text IS NULL
          OR (left(meta ->> 'user_id', 100) = left(sqlc.narg('user_id')::text, 100)
              AND (length(sqlc.narg('user_id')::text) < 100 OR meta ->> 'user_id' = sqlc.narg('user_id')::text)))
     AND (sqlc.narg('session_id')::text IS NULL
          OR (left(meta ->> 'session_id', 100) = left(sqlc.narg('session_id')::text, 100)
              AND (length(sqlc.narg('session_id')::text) < 100 OR meta ->> 'session_id' = sqlc.narg('session_id')::text)))
     AND (sqlc.narg('kind')::text IS NULL OR kind = sqlc.narg('kind')::text)
     AND (sqlc.narg('action')::text IS NULL OR action = sqlc.narg('action')::text)
     AND (sqlc.narg('actor_cpf')::text IS NULL OR actor_cpf = sqlc.narg('actor_cpf')::text)
     AND (sqlc.narg('since')::timestamptz IS NULL OR at >= sqlc.narg('since')::timestamptz)
     AND (sqlc.narg('until')::timestamptz IS NULL OR at < sqlc.narg('until')::timestamptz)
     AND (sqlc.narg('before_at')::timestamptz IS NULL
          OR (at, id) < (sqlc.narg('before_at')::timestamptz, sqlc.narg('before_id')::bigint))
     AND (sqlc.narg('q_pattern')::text IS NULL
          OR concat_ws(' ', actor_nome, kind, action, meta::text) ILIKE sqlc.narg('q_pattern')::text)
   ORDER BY at DESC, id DESC
   LIMIT sqlc.arg('row_limit')::bigint + sqlc.arg('row_offset')::bigint)
  UNION ALL
  (SELECT id, at, actor_cpf, actor_nome, kind, action, meta
   FROM public.automation_audits
   WHERE left(meta ->> 'session_id', 100) = left(@object::text, 100)
     AND (length(@object::text) < 100 OR meta ->> 'session_id' = @object::text)
     AND @any_key::boolean
     AND (meta ->> 'sid') IS DISTINCT FROM @object::text
     AND coalesce(meta ->> 'submissionId', meta ->> 'submission_id', meta ->> 'target_id', meta ->> 'task_id', meta ->> 'alert_id') IS DISTINCT FROM @object::text
     AND (meta ->> 'user_id') IS DISTINCT FROM @object::text
     AND (sqlc.narg('also')::text IS NULL
          OR sqlc.narg('also')::text IN (meta ->> 'sid', coalesce(meta ->> 'submissionId', meta ->> 'submission_id', meta ->> 'target_id', meta ->> 'task_id', meta ->> 'alert_id'), meta ->> 'user_id', meta ->> 'session_id'))
     AND (sqlc.narg('user_id')::text IS NULL
          OR (left(meta ->> 'user_id', 100) = left(sqlc.narg('user_id')::text, 100)
              AND (length(sqlc.narg('user_id')::text) < 100 OR meta ->> 'user_id' = sqlc.narg('user_id')::text)))
     AND (sqlc.narg('session_id')::text IS NULL
          OR (left(meta ->> 'session_id', 100) = left(sqlc.narg('session_id')::text, 100)
              AND (length(sqlc.narg('session_id')::text) < 100 OR meta ->> 'session_id' = sqlc.narg('session_id')::text)))
     AND (sqlc.narg('kind')::text IS NULL OR kind = sqlc.narg('kind')::text)
     AND (sqlc.narg('action')::text IS NULL OR action = sqlc.narg('action')::text)
     AND (sqlc.narg('actor_cpf')::text IS NULL OR actor_cpf = sqlc.narg('actor_cpf')::text)
     AND (sqlc.narg('since')::timestamptz IS NULL OR at >= sqlc.narg('since')::timestamptz)
     AND (sqlc.narg('until')::timestamptz IS NULL OR at < sqlc.narg('until')::timestamptz)
     AND (sqlc.narg('before_at')::timestamptz IS NULL
          OR (at, id) < (sqlc.narg('before_at')::timestamptz, sqlc.narg('before_id')::bigint))
     AND (sqlc.narg('q_pattern')::text IS NULL
          OR concat_ws(' ', actor_nome, kind, action, meta::text) ILIKE sqlc.narg('q_pattern')::text)
   ORDER BY at DESC, id DESC
   LIMIT sqlc.arg('row_limit')::bigint + sqlc.arg('row_offset')::bigint)
) AS named
ORDER BY at DESC, id DESC
LIMIT @row_limit::bigint OFFSET @row_offset::bigint;

-- ListAuditKinds returns the kinds that events have, in order, those behind after. It steps from kind to kind through an
-- index.
-- name: ListAuditKinds :many
WITH RECURSIVE names AS (
  (SELECT e.kind, 1::bigint AS place FROM public.automation_audits AS e
   WHERE (sqlc.narg('after')::text IS NULL OR e.kind > sqlc.narg('after')::text) ORDER BY e.kind LIMIT 1)
  UNION ALL
  SELECT (SELECT e.kind FROM public.automation_audits AS e WHERE e.kind > names.kind ORDER BY e.kind LIMIT 1), names.place + 1
  FROM names
  WHERE names.kind IS NOT NULL AND names.place < @row_limit::bigint
)
SELECT names.kind::text AS kind
FROM names
WHERE names.kind IS NOT NULL
ORDER BY names.place;

-- ListAuditActions is ListAuditKinds for the actions, of all kinds.
-- name: ListAuditActions :many
WITH RECURSIVE names AS (
  (SELECT e.action, 1::bigint AS place FROM public.automation_audits AS e
   WHERE (sqlc.narg('after')::text IS NULL OR e.action > sqlc.narg('after')::text) ORDER BY e.action LIMIT 1)
  UNION ALL
  SELECT (SELECT e.action FROM public.automation_audits AS e WHERE e.action > names.action ORDER BY e.action LIMIT 1), names.place + 1
  FROM names
  WHERE names.action IS NOT NULL AND names.place < @row_limit::bigint
)
SELECT names.action::text AS action
FROM names
WHERE names.action IS NOT NULL
ORDER BY names.place;

-- ListAuditActionsByKind is ListAuditActions for the events of one kind.
--
-- It steps through the index on kind and action by both at once, and looks at the kind afterwards: asked for the kind alone,
-- the planner would rather walk the index on action past all events of other kinds.
-- name: ListAuditActionsByKind :many
WITH RECURSIVE names AS (
  (SELECT e.kind, e.action, 1::bigint AS place FROM public.automation_audits AS e
   WHERE e.kind >= @kind::text AND (sqlc.narg('after')::text IS NULL OR (e.kind, e.action) > (@kind::text, sqlc.narg('after')::text))
   ORDER BY e.kind, e.action LIMIT 1)
  UNION ALL
  SELECT following.kind, following.action, names.place + 1
  FROM names
  CROSS JOIN LATERAL (
    SELECT e.kind, e.action FROM public.automation_audits AS e
    WHERE (e.kind, e.action) > (names.kind, names.action) ORDER BY e.kind, e.action LIMIT 1
  ) AS following
  WHERE names.kind = @kind::text AND names.place < @row_limit::bigint
)
SELECT names.action::text AS action
FROM names
WHERE names.kind = @kind::text
ORDER BY names.place;

-- CreateAudit adds one event: to the columns that CreateAudits fills, so a schema on which this prepares takes those too.
-- name: CreateAudit :exec
INSERT INTO public.automation_audits (actor_cpf, actor_nome, kind, action, meta)
VALUES (@actor_cpf, @actor_nome, @kind, @action, @meta);

-- CreateAudits adds events by COPY, which is one transaction, with ids in the order given, and returns how many.
-- name: CreateAudits :copyfrom
INSERT INTO public.automation_audits (actor_cpf, actor_nome, kind, action, meta)
VALUES (@actor_cpf, @actor_nome, @kind, @action, @meta);
