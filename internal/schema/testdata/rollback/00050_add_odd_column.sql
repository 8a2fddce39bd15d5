-- +goose Up
ALTER TABLE zoo."Odd Table" ADD COLUMN "Odd ""Column""" text;
CREATE TABLE zoo."Odd New" ("a b" integer CONSTRAINT odd_new_pkey PRIMARY KEY, "C" text);

-- +goose Down
DROP TABLE zoo."Odd New";
ALTER TABLE zoo."Odd Table" DROP COLUMN "Odd ""Column""";
