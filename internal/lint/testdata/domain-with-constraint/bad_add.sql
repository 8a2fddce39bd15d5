-- +goose Up
ALTER DOMAIN public.code ADD CONSTRAINT code_check CHECK (VALUE <> ''); -- want domain-with-constraint

-- +goose Down
ALTER DOMAIN public.code DROP CONSTRAINT code_check;
