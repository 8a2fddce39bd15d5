-- +goose Up
-- Why:   a caller whose answer got lost sends the same request again. The hash of the request by
--        which a submission was created tells it from another request that claims the same id.
--        Only requests that bring an id of their own have a row: nobody can repeat the others.
-- Locks: none that waits: the table is new. No foreign key: the legacy code's table gets no
--        trigger for it, and submissions are never deleted.
-- Down:  drops the table: a request sent again is then refused as one for an id that is taken.
CREATE TABLE service.submission_requests (
    submission_id text        NOT NULL,
    request_hash  bytea       NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT now(),

    CONSTRAINT submission_requests_pkey PRIMARY KEY (submission_id),
    CONSTRAINT submission_requests_request_hash_check CHECK (octet_length(request_hash) = 32)
);

-- +goose Down
DROP TABLE service.submission_requests;
