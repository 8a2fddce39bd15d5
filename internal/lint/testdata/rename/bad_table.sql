-- +goose Up
ALTER TABLE public.notes RENAME TO memos; -- want rename

-- +goose Down
ALTER TABLE public.memos RENAME TO notes;
