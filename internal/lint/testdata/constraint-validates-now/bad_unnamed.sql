-- +goose Up
ALTER TABLE public.notes ADD CHECK (size < 9); -- want constraint-validates-now

-- +goose Down
ALTER TABLE public.notes DROP CONSTRAINT notes_size_check1;
