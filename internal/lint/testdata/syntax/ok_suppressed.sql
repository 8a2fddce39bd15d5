-- +goose Up
-- portaldb:nolint syntax: from PostgreSQL 19
ALTER TABLE public.notes BE FASTER;

-- +goose Down
SELECT;
