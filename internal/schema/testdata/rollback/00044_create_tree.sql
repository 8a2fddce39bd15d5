-- +goose Up
CREATE TABLE zoo.tree (id integer CONSTRAINT tree_pkey PRIMARY KEY, parent_id integer CONSTRAINT tree_parent_id_fkey REFERENCES zoo.tree (id));

-- +goose Down
DROP TABLE zoo.tree;
