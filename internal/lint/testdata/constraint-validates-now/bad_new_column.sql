-- +goose Up
ALTER TABLE public.notes ADD COLUMN weight integer CONSTRAINT notes_weight_check CHECK (weight > 0); -- want constraint-validates-now

-- +goose Down
ALTER TABLE public.notes DROP COLUMN weight;
