-- want up-missing
-- +goose Up
-- +goose Down
SELECT;
