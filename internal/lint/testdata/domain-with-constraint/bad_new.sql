-- +goose Up
CREATE DOMAIN public.word AS text CHECK (VALUE <> ''); -- want domain-with-constraint

-- +goose Down
DROP DOMAIN public.word;
