-- +goose Up
CREATE TABLE public.tags (id int GENERATED ALWAYS AS IDENTITY); -- want prefer-bigint

-- +goose Down
DROP TABLE public.tags;
