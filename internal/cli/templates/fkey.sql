trap: NOT VALID looks at no row that is there; VALIDATE CONSTRAINT does, in a later file: portaldb new validate_{{.Base}}_{{.Column}}
trap: both tables are locked against writers for a moment
trap: without an index on the referring columns each DELETE of a parent reads the whole table: build it first, in a file of its own
-- +goose Up
-- Why:
-- Locks: SHARE ROW EXCLUSIVE on both tables for an instant; no row is read.
-- Down:  loses no data.
ALTER TABLE {{.Table}} ADD CONSTRAINT {{.Base}}_{{.Column}} FOREIGN KEY ({{.Key}}) REFERENCES public.users (id) NOT VALID;

-- +goose Down
ALTER TABLE {{.Table}} DROP CONSTRAINT {{.Base}}_{{.Column}};
