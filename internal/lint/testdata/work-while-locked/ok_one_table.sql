-- +goose Up
ALTER TABLE public.notes ADD COLUMN kind text;
ALTER TABLE public.notes ADD COLUMN sort text;
ALTER TABLE public.notes ALTER COLUMN title TYPE varchar(80);
ALTER TABLE public.notes ALTER COLUMN body SET NOT NULL;

-- +goose Down
ALTER TABLE public.notes DROP COLUMN sort, DROP COLUMN kind;
