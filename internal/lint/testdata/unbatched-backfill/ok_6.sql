-- +goose Up
INSERT INTO public.users (email) VALUES ('a@example.org');

-- +goose Down
SELECT;
