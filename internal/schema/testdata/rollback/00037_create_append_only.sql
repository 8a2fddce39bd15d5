-- +goose Up
CREATE TABLE zoo.journal (id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT journal_pkey PRIMARY KEY, what text NOT NULL);
CREATE TRIGGER journal_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON zoo.journal FOR EACH STATEMENT EXECUTE FUNCTION zoo.refuse();

-- +goose Down
DROP TABLE zoo.journal;
