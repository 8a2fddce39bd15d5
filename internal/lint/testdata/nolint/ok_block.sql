-- +goose Up
-- portaldb:nolint down-not-inverse: kept for the release before
-- +goose StatementBegin
CREATE FUNCTION public.one() RETURNS int LANGUAGE sql AS 'SELECT 1';
-- +goose StatementEnd

-- +goose Down
SELECT;
