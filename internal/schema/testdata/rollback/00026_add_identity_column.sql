-- +goose Up
ALTER TABLE zoo.animal ADD COLUMN tag integer GENERATED ALWAYS AS IDENTITY (START 500);

-- +goose Down
ALTER TABLE zoo.animal DROP COLUMN tag;
