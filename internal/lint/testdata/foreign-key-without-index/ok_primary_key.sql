-- +goose Up
CREATE TABLE public.members (user_id bigint PRIMARY KEY REFERENCES public.users (id));

-- +goose Down
DROP TABLE public.members;
