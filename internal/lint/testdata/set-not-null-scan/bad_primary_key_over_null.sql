-- +goose Up
ALTER TABLE public.notes ADD CONSTRAINT notes_other_pkey PRIMARY KEY USING INDEX notes_author_idx; -- want set-not-null-scan

-- +goose Down
ALTER TABLE public.notes DROP CONSTRAINT notes_other_pkey;
