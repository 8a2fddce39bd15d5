trap: one idea a file; the code that runs now must work before and after it
trap: a verb tells what it is: create, add, drop, rename, index, backfill, validate or seed, each with a pattern of its own
-- +goose Up
-- Why:
-- Locks:
-- Down:

-- +goose Down
