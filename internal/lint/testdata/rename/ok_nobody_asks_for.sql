-- +goose Up
ALTER INDEX public.notes_author_idx RENAME TO notes_author_created_at_idx;
ALTER TABLE public.notes RENAME CONSTRAINT notes_size_check TO notes_size_positive;

-- +goose Down
ALTER INDEX public.notes_author_created_at_idx RENAME TO notes_author_idx;
