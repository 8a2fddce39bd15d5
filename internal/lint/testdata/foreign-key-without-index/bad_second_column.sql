-- +goose Up
CREATE TABLE public.tags (owner bigint REFERENCES public.users (id), name text); -- want foreign-key-without-index
CREATE INDEX tags_name_owner_idx ON public.tags (name, owner);

-- +goose Down
DROP TABLE public.tags;
