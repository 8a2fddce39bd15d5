trap: NOT VALID looks at no row that is there; VALIDATE CONSTRAINT does, in a later file: portaldb new validate_{{.Name}}
trap: both tables are locked against writers for a moment
trap: without an index on the referring columns each DELETE of a parent reads the whole table: build it first, in a file of its own
{{if not .Definition -}}
trap: the name does not tell the table that {{.Column}} refers to: say so, and take the comment off
{{end -}}
-- +goose Up
-- Why:
-- Locks: SHARE ROW EXCLUSIVE on both tables for an instant; no row is read.
-- Down:  loses no data.
{{if .Definition -}}
ALTER TABLE {{.Table}} ADD CONSTRAINT {{.Name}} {{.Definition}};
{{- else -}}
-- ALTER TABLE {{.Table}} ADD CONSTRAINT {{.Name}} FOREIGN KEY ({{.Column}}) REFERENCES ... (id) NOT VALID;
{{- end}}

-- +goose Down
ALTER TABLE {{.Table}} DROP CONSTRAINT {{.Name}};
