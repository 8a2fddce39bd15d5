-- +goose Up
SELECT pg_catalog.set_config('search_path', '', false); -- want session-set

-- +goose Down
SET search_path = public; -- want session-set
