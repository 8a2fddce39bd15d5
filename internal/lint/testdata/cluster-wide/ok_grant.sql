-- +goose Up
GRANT SELECT ON public.notes TO reader;

-- +goose Down
REVOKE SELECT ON public.notes FROM reader;
