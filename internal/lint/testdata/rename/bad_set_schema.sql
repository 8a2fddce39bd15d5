-- +goose Up
ALTER TABLE public.notes SET SCHEMA service; -- want rename

-- +goose Down
ALTER TABLE service.notes SET SCHEMA public;
