-- +goose Up
-- Why:   which submissions are offered to workers, and who works on them until when. A row goes
--        when its submission ends, so the table holds work only, and rows of the legacy code,
--        which runs them itself, are never in it.
--        The index gives the oldest of a kind. What changes while a worker is at work is in no
--        index and finds room on its page, so that heartbeats leave neither bloat nor index work.
-- Locks: none that waits: the table is new. No foreign key, as in 00058.
-- Down:  drops the table: what is queued stays queued, and no worker gets it any more.
CREATE TABLE service.submission_queue (
    submission_id text        NOT NULL,
    kind          text        NOT NULL,
    enqueued_at   timestamptz NOT NULL DEFAULT now(),
    worker        text,
    lease_until   timestamptz,
    attempts      integer     NOT NULL DEFAULT 0,

    CONSTRAINT submission_queue_pkey PRIMARY KEY (submission_id),
    CONSTRAINT submission_queue_lease_check CHECK ((worker IS NULL) = (lease_until IS NULL)),
    CONSTRAINT submission_queue_attempts_check CHECK (attempts >= 0)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);
CREATE INDEX submission_queue_kind_enqueued_at_idx
    ON service.submission_queue (kind, enqueued_at, submission_id);

-- +goose Down
DROP TABLE service.submission_queue;
