-- +goose Up
ALTER TYPE public.mood RENAME VALUE 'cross' TO 'angry'; -- want rename

-- +goose Down
ALTER TYPE public.mood RENAME VALUE 'angry' TO 'cross';
