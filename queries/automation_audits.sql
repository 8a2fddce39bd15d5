-- ListAudits returns the newest audit events first. A filter that is NULL does not filter; before_at and before_id, the
-- key of the last row of the page before, are NULL together.
--
-- It is meant to be planned for its very arguments (plan_cache_mode = force_custom_plan), as ListSubmissions is. The
-- index holds the first 100 characters of a sid only, so the filter names both. No index serves q_pattern: it looks at each
-- event that the other filters leave, until the page is full, so a statement timeout has to bound it.
-- name: ListAudits :many
SELECT id, at, actor_cpf, actor_nome, kind, action, meta
FROM public.automation_audits
WHERE (sqlc.narg('kind')::text IS NULL OR kind = sqlc.narg('kind')::text)
  AND (sqlc.narg('action')::text IS NULL OR action = sqlc.narg('action')::text)
  AND (sqlc.narg('actor_cpf')::text IS NULL OR actor_cpf = sqlc.narg('actor_cpf')::text)
  AND (sqlc.narg('sid')::text IS NULL
       OR (left(meta ->> 'sid', 100) = left(sqlc.narg('sid')::text, 100) AND meta ->> 'sid' = sqlc.narg('sid')::text))
  AND (sqlc.narg('since')::timestamptz IS NULL OR at >= sqlc.narg('since')::timestamptz)
  AND (sqlc.narg('until')::timestamptz IS NULL OR at < sqlc.narg('until')::timestamptz)
  AND (sqlc.narg('before_at')::timestamptz IS NULL
       OR (at, id) < (sqlc.narg('before_at')::timestamptz, sqlc.narg('before_id')::bigint))
  AND (sqlc.narg('q_pattern')::text IS NULL
       OR concat_ws(' ', actor_nome, kind, action, meta::text) ILIKE sqlc.narg('q_pattern')::text)
ORDER BY at DESC, id DESC
LIMIT @row_limit::bigint OFFSET @row_offset::bigint;

-- CreateAudits adds events by COPY, which is one transaction, with ids in the order given, and returns how many.
-- name: CreateAudits :copyfrom
INSERT INTO public.automation_audits (actor_cpf, actor_nome, kind, action, meta)
VALUES (@actor_cpf, @actor_nome, @kind, @action, @meta);
