-- +goose Up
ALTER TYPE zoo.size RENAME TO size_old;
CREATE TYPE zoo.size AS ENUM ('small', 'medium', 'large');
ALTER TABLE zoo.animal ALTER COLUMN size TYPE zoo.size USING size::text::zoo.size;
DROP TYPE zoo.size_old;

-- +goose Down
ALTER TYPE zoo.size RENAME TO size_new;
CREATE TYPE zoo.size AS ENUM ('small', 'large');
ALTER TABLE zoo.animal ALTER COLUMN size TYPE zoo.size USING (CASE size::text WHEN 'medium' THEN 'large' ELSE size::text END)::zoo.size;
DROP TYPE zoo.size_new;
