-- +goose Up
-- +goose StatementBegin
CREATE FUNCTION zoo.is_code(value text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$ SELECT length(value) > 2 $$;
-- +goose StatementEnd
CREATE DOMAIN zoo.code AS text CONSTRAINT code_check CHECK (length(VALUE) > 2) CONSTRAINT code_function_check CHECK (zoo.is_code(VALUE));
CREATE TABLE zoo.coded (id integer CONSTRAINT coded_pkey PRIMARY KEY, code zoo.code, CONSTRAINT coded_code_check CHECK (zoo.is_code(code)));
CREATE INDEX coded_is_code_idx ON zoo.coded (zoo.is_code(code));

-- +goose Down
DROP TABLE zoo.coded;
DROP DOMAIN zoo.code;
DROP FUNCTION zoo.is_code(text);
