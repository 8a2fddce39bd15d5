trap: a rename breaks the code that runs now and the release that a rollback brings back
trap: a new column instead: this file; both written, by the service or a trigger; backfill; both read; the old one dropped a release later
trap: a table may be renamed if a view of the old name, made in the same file, keeps the old code working
{{if .Old -}}
-- +goose Up
-- Why:   the new name of {{.Old}}. The old column stays until nobody uses it.
-- Locks: ACCESS EXCLUSIVE on {{.Base}} for an instant; no rewrite.
-- Down:  drops the new column and every value in it; the old one still has what was written to it.
ALTER TABLE {{.Table}} ADD COLUMN {{.Column}} {{.Type}};

-- +goose Down
ALTER TABLE {{.Table}} DROP COLUMN {{.Column}};
{{else -}}
trap: the name of the new column is told by _to_: portaldb new rename_users_name_to_title
{{template "other.sql" . -}}
{{end -}}
