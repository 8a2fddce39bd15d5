-- +goose Up
RESET ALL; -- want session-set

-- +goose Down
SET search_path = public; -- want session-set
