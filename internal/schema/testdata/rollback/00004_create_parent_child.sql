-- +goose Up
CREATE TABLE zoo.parent (id integer CONSTRAINT parent_pkey PRIMARY KEY, name text NOT NULL CONSTRAINT parent_name_key UNIQUE);
CREATE TABLE zoo.child (id integer CONSTRAINT child_pkey PRIMARY KEY, parent_id integer NOT NULL CONSTRAINT child_parent_id_fkey REFERENCES zoo.parent (id) ON DELETE CASCADE,
    item_id integer CONSTRAINT child_item_id_fkey REFERENCES zoo.item (id));
ALTER TABLE zoo.pair ADD COLUMN parent_id integer CONSTRAINT pair_parent_id_fkey REFERENCES zoo.parent (id);

-- +goose Down
ALTER TABLE zoo.pair DROP COLUMN parent_id;
DROP TABLE zoo.child, zoo.parent;
