-- +goose Up
ALTER VIEW public.titles RENAME TO headings; -- want rename

-- +goose Down
ALTER VIEW public.headings RENAME TO titles;
