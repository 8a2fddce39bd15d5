-- +goose Up
ALTER TABLE public.notes ADD COLUMN kind text;

-- +goose Down
-- +goose StatementBegin
DO $$ BEGIN EXECUTE 'ALTER TABLE public.notes DROP COLUMN kind'; END $$;
-- +goose StatementEnd
