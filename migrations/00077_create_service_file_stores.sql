-- +goose Up
-- Why:   by which marker the place of files is known again: a folder whose file system is not mounted,
--        or that two machines do not share, has not the same one, and no file is taken for gone there.
-- Locks: none that waits: the table is new.
-- Down:  drops the table: after the next Up each root is taken for what is found there.
CREATE TABLE service.file_stores (
    root       text        NOT NULL,
    marker     text        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),

    CONSTRAINT file_stores_pkey PRIMARY KEY (root)
);

-- +goose Down
DROP TABLE service.file_stores;
