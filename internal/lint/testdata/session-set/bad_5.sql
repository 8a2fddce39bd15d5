-- +goose Up
SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY; -- want session-set

-- +goose Down
SET search_path = public; -- want session-set
