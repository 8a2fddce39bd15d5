-- +goose Up
-- Why:   keeps updated_at of users, org_units and the HR tables true, whatever an UPDATE says.
--        The body is, white space aside, the one that the legacy start-up writes with CREATE OR
--        REPLACE, so that nothing differs afterwards.
-- Locks: none that waits.
-- Down:  loses nothing; refuses while a trigger still uses it.
-- +goose StatementBegin
CREATE FUNCTION public.set_updated_at() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    NEW.updated_at := now();
    RETURN NEW;
END
$$;
-- +goose StatementEnd

-- +goose Down
DROP FUNCTION public.set_updated_at();
