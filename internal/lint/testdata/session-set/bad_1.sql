-- +goose Up
SET SESSION lock_timeout = '1s'; -- want session-set

-- +goose Down
SET search_path = public; -- want session-set
