-- +goose Up
TRUNCATE public.notes; -- want drop-without-trash

-- +goose Down
SELECT;
