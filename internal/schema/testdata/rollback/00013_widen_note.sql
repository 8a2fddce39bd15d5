-- +goose Up
ALTER TABLE zoo.item ALTER COLUMN note TYPE text;

-- +goose Down
ALTER TABLE zoo.item ALTER COLUMN note TYPE varchar(80) USING left(note, 3);
