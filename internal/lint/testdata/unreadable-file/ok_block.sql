-- +goose Up
-- +goose StatementBegin
DO $$ BEGIN PERFORM 1; END $$;
-- +goose StatementEnd

-- +goose Down
SELECT;
