-- +goose Up
-- +goose StatementBegin
BEGIN; -- want transaction-control
ALTER TABLE public.notes ADD COLUMN kind text;
SAVEPOINT a; -- want transaction-control
END; -- want transaction-control
-- +goose StatementEnd

-- +goose Down
ALTER TABLE public.notes DROP COLUMN kind;
