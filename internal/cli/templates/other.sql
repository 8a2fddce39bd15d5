trap: one idea a file; the code that runs now must work before and after it
trap: a verb (create, add, drop, rename, index, backfill, validate or seed), a table that the files make, and what of it tell a pattern: this name does not
-- +goose Up
-- Why:
-- Locks:
-- Down:

-- +goose Down
