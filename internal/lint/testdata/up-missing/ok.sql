-- +goose Up
SELECT;

-- +goose Down
SELECT;
