-- +goose Up
DROP TABLE IF EXISTS public.notes; -- want drop-without-trash

-- +goose Down
CREATE TABLE public.notes (id bigint);
