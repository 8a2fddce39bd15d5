-- +goose Up
-- +goose StatementBegin
DO $$ -- want drop-without-trash
BEGIN
    ALTER TABLE public.notes DROP COLUMN title;
END
$$;
-- +goose StatementEnd

-- +goose Down
ALTER TABLE public.notes ADD COLUMN title text;
