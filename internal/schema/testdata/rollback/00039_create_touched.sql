-- +goose Up
CREATE TABLE zoo.task (id integer CONSTRAINT task_pkey PRIMARY KEY, title text, updated_at timestamptz NOT NULL DEFAULT now());
CREATE TRIGGER task_touch BEFORE INSERT OR UPDATE ON zoo.task FOR EACH ROW EXECUTE FUNCTION zoo.touch();
ALTER TABLE zoo.task ENABLE ALWAYS TRIGGER task_touch;

-- +goose Down
DROP TABLE zoo.task;
