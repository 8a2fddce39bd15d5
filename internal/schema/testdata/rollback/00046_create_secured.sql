-- +goose Up
CREATE TABLE zoo.secured (id integer CONSTRAINT secured_pkey PRIMARY KEY, owner text);
ALTER TABLE zoo.secured ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY secured_mine ON zoo.secured USING (true) WITH CHECK (true);
CREATE RULE secured_quiet AS ON DELETE TO zoo.secured DO INSTEAD NOTHING;
GRANT SELECT ON zoo.secured TO PUBLIC;
GRANT UPDATE (owner) ON zoo.secured TO PUBLIC;

-- +goose Down
DROP TABLE zoo.secured;
