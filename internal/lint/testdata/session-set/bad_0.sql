-- +goose Up
SET search_path = public; -- want session-set

-- +goose Down
SET search_path = public; -- want session-set
