-- want down-missing
-- +goose Up
ALTER TABLE public.notes ADD COLUMN kind text;
