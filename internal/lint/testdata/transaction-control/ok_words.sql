-- +goose Up
CREATE TABLE public.commit_log (rollback text DEFAULT 'commit');
-- +goose StatementBegin
DO $$ BEGIN PERFORM 1; END $$;
-- +goose StatementEnd

-- +goose Down
DROP TABLE public.commit_log;
