-- +goose Up
ALTER TABLE zoo.item ADD COLUMN secret text;

-- +goose Down
-- +goose StatementBegin
DO $$ BEGIN EXECUTE 'ALTER TABLE zoo.item DROP COLUMN ' || 'secret'; END $$;
-- +goose StatementEnd
