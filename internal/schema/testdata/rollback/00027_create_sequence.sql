-- +goose Up
CREATE SEQUENCE zoo.ticket START 100;
ALTER TABLE zoo.item ALTER COLUMN box_id SET DEFAULT nextval('zoo.ticket');

-- +goose Down
ALTER TABLE zoo.item ALTER COLUMN box_id DROP DEFAULT;
DROP SEQUENCE zoo.ticket;
