-- +goose Up
ALTER TABLE public.notes ADD CONSTRAINT notes_created_at_excl EXCLUDE USING btree (created_at WITH =); -- want exclusion-constraint

-- +goose Down
ALTER TABLE public.notes DROP CONSTRAINT notes_created_at_excl;
