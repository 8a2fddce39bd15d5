trap: the release that runs now must not use it any more: drop it one release after the last that does
trap: up keeps nothing of what it drops: lint wants to know why that is right, in a comment on the statement, "-- portaldb:nolint drop-without-trash: REASON"
trap: portaldb rollback keeps the rows of a table whose creation it takes back, but not of this one: Down makes it again empty
trap: foreign keys to it make the DROP fail: drop them first, in files of their own; never CASCADE
trap: the legacy start-up may put it back: look at migrations/testdata/legacy_startup.sql before dropping anything of its tables
{{- with .Since}}
trap: Down makes it as {{$.Made.Name}} did; bring in what came after: {{.}}
{{- end}}
-- +goose Up
-- Why:
-- Locks: ACCESS EXCLUSIVE on {{.Base}} for an instant, and on tables that it refers to.
-- Down:  makes the table again, empty.
DROP TABLE {{.Table}};

-- +goose Down
{{with .Statements -}}
-- As {{$.Made.Name}} made it.{{with $.Since}} Bring in what came after: {{.}}{{end}}
{{range .}}{{.}}

{{end -}}
{{else -}}
-- Give it its columns and constraints.
CREATE TABLE {{.Table}} (
    id bigint GENERATED ALWAYS AS IDENTITY,

    CONSTRAINT {{.Base}}_pkey PRIMARY KEY (id)
);
{{end -}}
