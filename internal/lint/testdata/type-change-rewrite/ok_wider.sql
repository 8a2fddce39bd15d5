-- +goose Up
ALTER TABLE public.notes ALTER COLUMN title TYPE varchar(80);
ALTER TABLE public.notes ALTER COLUMN title TYPE varchar;
ALTER TABLE public.notes ALTER COLUMN title TYPE text USING title::text;
ALTER TABLE public.notes ALTER COLUMN price TYPE numeric(10, 2);
ALTER TABLE public.notes ALTER COLUMN price TYPE numeric;
ALTER TABLE public.notes ALTER COLUMN size SET DATA TYPE int;
ALTER TABLE public.notes ALTER COLUMN created_at TYPE timestamp with time zone;

-- +goose Down
SELECT;
