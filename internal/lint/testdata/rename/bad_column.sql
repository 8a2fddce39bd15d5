-- +goose Up
ALTER TABLE public.notes RENAME COLUMN title TO heading; -- want rename

-- +goose Down
ALTER TABLE public.notes RENAME heading TO title;
