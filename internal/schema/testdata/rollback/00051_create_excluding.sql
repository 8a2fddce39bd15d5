-- +goose Up
CREATE TABLE zoo.booking (id integer CONSTRAINT booking_pkey PRIMARY KEY, during int4range, CONSTRAINT booking_during_excl EXCLUDE USING gist (during WITH &&));
CREATE STATISTICS zoo.booking_statistics ON id, during FROM zoo.booking;
COMMENT ON TABLE zoo.booking IS 'a booking';

-- +goose Down
DROP TABLE zoo.booking;
