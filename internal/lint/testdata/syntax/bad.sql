-- +goose Up
CREATE TABLE public.tags (
    name tex t, -- want syntax
    kind text
);

-- +goose Down
DROP TABL public.tags; -- want syntax
