-- +goose Up
CREATE TABLE public.tags (name text); -- want down-not-inverse
CREATE TABLE public.marks (name text);

-- +goose Down
DROP TABLE public.marks;
