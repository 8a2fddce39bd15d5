-- +goose Up
-- want-on 4 envsub
-- +goose StatementBegin
-- +goose envsub on
SELECT '${HOME}';
-- +goose StatementEnd

-- +goose Down
SELECT;
