-- +goose NO TRANSACTION
-- +goose Up
CREATE INDEX CONCURRENTLY days_1_name_idx ON public.days_1 (name);

-- +goose Down
DROP INDEX CONCURRENTLY public.days_1_name_idx;
