-- +goose Up
CREATE TABLE zoo.left_hand (id integer CONSTRAINT left_hand_pkey PRIMARY KEY, right_id integer);
CREATE TABLE zoo.right_hand (id integer CONSTRAINT right_hand_pkey PRIMARY KEY, left_id integer CONSTRAINT right_hand_left_id_fkey REFERENCES zoo.left_hand (id));
ALTER TABLE zoo.left_hand ADD CONSTRAINT left_hand_right_id_fkey FOREIGN KEY (right_id) REFERENCES zoo.right_hand (id);
COMMENT ON CONSTRAINT left_hand_right_id_fkey ON zoo.left_hand IS 'a circle';

-- +goose Down
ALTER TABLE zoo.left_hand DROP CONSTRAINT left_hand_right_id_fkey;
DROP TABLE zoo.right_hand;
DROP TABLE zoo.left_hand;
