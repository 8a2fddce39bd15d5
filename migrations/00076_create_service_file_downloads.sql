-- +goose Up
-- Why:   who has started a download of a file with max_downloads of late: a download that broke off
--        goes on, by Range, without using up another one. Other files have no rows here.
-- Locks: none that waits: the table is new. No foreign key, as in 00073.
-- Down:  drops the table: a download that goes on counts once more.
CREATE TABLE service.file_downloads (
    file_id    text        NOT NULL,
    address    text        NOT NULL,
    started_at timestamptz NOT NULL DEFAULT now(),

    CONSTRAINT file_downloads_pkey PRIMARY KEY (file_id, address)
);
CREATE INDEX file_downloads_started_at_idx ON service.file_downloads (started_at);

-- +goose Down
DROP TABLE service.file_downloads;
