-- +goose Up
DROP FUNCTION public.touch() CASCADE; -- want drop-without-trash
DROP SCHEMA elsewhere CASCADE; -- want drop-without-trash

-- +goose Down
SELECT;
