-- +goose Up
-- Why:   which deleted files a sweeper is busy with, so that several of them share the work. A row
--        lasts from the claim until the bytes are gone; a claim that is old was left by one that died.
-- Locks: none that waits: the table is new. No foreign key: the legacy code's table gets no trigger
--        for it, and its rows are never deleted.
-- Down:  drops the table: sweepers that run meanwhile do some work twice, which harms nothing.
CREATE TABLE service.file_purges (
    file_id    text        NOT NULL,
    claimed_at timestamptz NOT NULL DEFAULT now(),

    CONSTRAINT file_purges_pkey PRIMARY KEY (file_id)
);

-- +goose Down
DROP TABLE service.file_purges;
