-- +goose Up
CREATE TABLE public.stays (during tstzrange, CONSTRAINT stays_during_excl EXCLUDE USING gist (during WITH &&));
ALTER TABLE public.stays ADD CONSTRAINT stays_other_excl EXCLUDE USING gist (during WITH &&);

-- +goose Down
DROP TABLE public.stays;
