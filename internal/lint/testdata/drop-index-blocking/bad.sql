-- +goose Up
DROP INDEX public.notes_author_idx; -- want drop-index-blocking

-- +goose Down
SELECT;
