-- +goose Up
ALTER TABLE public.notes ADD CONSTRAINT notes_title_key UNIQUE (title); -- want unique-or-primary-builds-index

-- +goose Down
ALTER TABLE public.notes DROP CONSTRAINT notes_title_key;
