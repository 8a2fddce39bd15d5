trap: it reads the whole table while others read and write; it fails on the first row that does not hold
trap: never in the file that adds the constraint: that one's lock would be held all the while
-- +goose Up
-- Why:
-- Locks: SHARE UPDATE EXCLUSIVE on {{.Base}} while it is read: reads and writes go on.
-- Down:  puts the constraint back as it was, not validated; loses no data.
ALTER TABLE {{.Table}} VALIDATE CONSTRAINT {{.Name}};

-- +goose Down
-- There is no way to say so: the constraint is made anew, without looking at rows. Give it its definition.
{{if .Definition -}}
ALTER TABLE {{.Table}} DROP CONSTRAINT {{.Name}};
ALTER TABLE {{.Table}} ADD CONSTRAINT {{.Name}} {{.Definition}};
{{- else -}}
-- ALTER TABLE {{.Table}} DROP CONSTRAINT {{.Name}};
-- ALTER TABLE {{.Table}} ADD CONSTRAINT {{.Name}} FOREIGN KEY ({{.Column}}) REFERENCES ... (id) NOT VALID;
{{- end}}
