-- +goose Up
-- Why:   what is being stored, written before the first byte and removed with the insert of the
--        file: whatever dies on the way leaves a row here, by which the sweeper finds the bytes
--        without looking through the store. The upload moves alive_at on while it lasts; one that
--        does not is abandoned, and from then on no file comes of it. Its row stays for a day, since
--        a process that was frozen may still put its bytes in place.
-- Locks: none that waits: the table is new.
-- Down:  drops the table: bytes of uploads that broke off stay, until files fsck finds them.
CREATE TABLE service.file_uploads (
    file_id      text        NOT NULL,
    path         text        NOT NULL,
    alive_at     timestamptz NOT NULL DEFAULT now(),
    abandoned_at timestamptz,
    claimed_at   timestamptz,

    CONSTRAINT file_uploads_pkey PRIMARY KEY (file_id)
);

-- +goose Down
DROP TABLE service.file_uploads;
