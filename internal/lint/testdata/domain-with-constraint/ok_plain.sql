-- +goose Up
CREATE DOMAIN public.word AS text;

-- +goose Down
DROP DOMAIN public.word;
