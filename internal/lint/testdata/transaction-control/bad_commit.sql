-- +goose Up
ALTER TABLE public.notes ADD COLUMN kind text;
Commit ; -- want transaction-control

-- +goose Down
ALTER TABLE public.notes DROP COLUMN kind;
ROLLBACK; -- want transaction-control
