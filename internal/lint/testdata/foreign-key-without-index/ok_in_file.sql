-- +goose Up
CREATE TABLE public.tags (owner bigint REFERENCES public.users (id), other bigint, CONSTRAINT tags_other_fkey FOREIGN KEY (other, owner) REFERENCES public.pairs (a, b));
CREATE INDEX tags_owner_idx ON public.tags (owner, other);

-- +goose Down
DROP TABLE public.tags;
