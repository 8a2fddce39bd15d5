-- +goose Up
ALTER TABLE public.notes ADD CONSTRAINT notes_title_key UNIQUE USING INDEX notes_title_idx;

-- +goose Down
ALTER TABLE public.notes DROP CONSTRAINT notes_title_key;
CREATE UNIQUE INDEX notes_title_idx ON public.notes (title);
