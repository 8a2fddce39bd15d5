-- +goose Up
-- irreversible: the old values are not kept
ALTER TABLE public.notes ADD COLUMN kind text;

-- +goose Down
-- +goose StatementBegin
DO $$ BEGIN RAISE EXCEPTION 'irreversible: the old values are not kept'; END $$;
-- +goose StatementEnd
