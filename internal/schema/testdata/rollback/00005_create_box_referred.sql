-- +goose Up
CREATE TABLE zoo.box (id integer CONSTRAINT box_pkey PRIMARY KEY, label text);
ALTER TABLE zoo.item ADD CONSTRAINT item_box_id_fkey FOREIGN KEY (box_id) REFERENCES zoo.box (id) NOT VALID;

-- +goose Down
DROP TABLE zoo.box CASCADE;
