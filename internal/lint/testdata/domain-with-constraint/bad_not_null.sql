-- +goose Up
ALTER DOMAIN public.code SET NOT NULL; -- want domain-with-constraint

-- +goose Down
ALTER DOMAIN public.code DROP NOT NULL;
