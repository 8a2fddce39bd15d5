trap: rows come in from now on that it would have refused: lint wants to know why that is right, in a comment on the statement, "-- portaldb:nolint drop-constraint-weakens: REASON"
trap: where the rule only changes, the new one first, and this one after it
trap: Down puts it back NOT VALID, over rows that may not hold it; UNIQUE has no NOT VALID: it fails on them, and builds its index while nobody reads or writes
trap: see that its definition in Down is the one that it had
{{if not .Definition -}}
trap: the name does not tell the table that {{.Column}} refers to: say so, and take the comment off
{{end -}}
-- +goose Up
-- Why:
-- Locks: ACCESS EXCLUSIVE on {{.Base}} for an instant, and for a foreign key on the other table.
-- Down:  puts the constraint back; loses no data.
ALTER TABLE {{.Table}} DROP CONSTRAINT {{.Name}};

-- +goose Down
{{if .Definition -}}
ALTER TABLE {{.Table}} ADD CONSTRAINT {{.Name}} {{.Definition}};
{{- else -}}
-- ALTER TABLE {{.Table}} ADD CONSTRAINT {{.Name}} FOREIGN KEY ({{.Column}}) REFERENCES ... (id) NOT VALID;
{{- end}}
