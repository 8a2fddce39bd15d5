-- +goose Up
-- Why:   wrong secrets of late, by file and by address, so that guessing has a limit that holds
--        whichever replica is asked. Updates find room on their page and touch no index.
-- Locks: none that waits: the table is new.
-- Down:  drops the table: everybody may try again at once.
CREATE TABLE service.file_attempts (
    scope             text        NOT NULL,
    key               text        NOT NULL,
    window_started_at timestamptz NOT NULL DEFAULT now(),
    failures          integer     NOT NULL,

    CONSTRAINT file_attempts_pkey PRIMARY KEY (scope, key),
    CONSTRAINT file_attempts_scope_check CHECK (scope IN ('item', 'address')),
    CONSTRAINT file_attempts_failures_check CHECK (failures >= 0)
) WITH (fillfactor = 70);

-- +goose Down
DROP TABLE service.file_attempts;
