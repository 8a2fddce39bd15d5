-- +goose Up
DELETE FROM public.users WHERE email IN ('a@example.org', 'b@example.org');

-- +goose Down
SELECT;
