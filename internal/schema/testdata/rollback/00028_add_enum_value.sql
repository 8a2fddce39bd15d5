-- +goose Up
ALTER TYPE zoo.mood ADD VALUE 'happy';

-- +goose Down
ALTER TYPE zoo.mood RENAME TO mood_old;
CREATE TYPE zoo.mood AS ENUM ('calm', 'cross');
ALTER TABLE zoo.animal ALTER COLUMN mood TYPE zoo.mood USING (CASE mood::text WHEN 'happy' THEN 'calm' ELSE mood::text END)::zoo.mood;
DROP TYPE zoo.mood_old;
