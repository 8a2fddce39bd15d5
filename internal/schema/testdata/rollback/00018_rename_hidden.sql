-- +goose Up
-- +goose StatementBegin
DO $$ BEGIN ALTER TABLE annex.newest_name RENAME COLUMN kept TO kept_on; END $$;
-- +goose StatementEnd

-- +goose Down
-- +goose StatementBegin
DO $$ BEGIN ALTER TABLE annex.newest_name RENAME COLUMN kept_on TO kept; END $$;
-- +goose StatementEnd
