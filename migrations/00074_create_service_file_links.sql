-- +goose Up
-- Why:   links that open one file to whoever has them, until they end or are revoked. Only the
--        SHA-256 of the token is kept: a copy of this table opens nothing.
-- Locks: none that waits: the table is new. No foreign key, as in 00073.
-- Down:  drops the table, and with it every link that this service made.
CREATE TABLE service.file_links (
    id         uuid        NOT NULL DEFAULT gen_random_uuid(),
    file_id    text        NOT NULL,
    token_hash bytea       NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    created_by text        NOT NULL,
    actor_cpf  text,
    revoked_at timestamptz,

    CONSTRAINT file_links_pkey PRIMARY KEY (id),
    CONSTRAINT file_links_token_hash_key UNIQUE (token_hash),
    CONSTRAINT file_links_token_hash_check CHECK (octet_length(token_hash) = 32)
);
CREATE INDEX file_links_file_id_created_at_idx ON service.file_links (file_id, created_at DESC, id DESC);
CREATE INDEX file_links_expires_at_idx ON service.file_links (expires_at);

-- +goose Down
DROP TABLE service.file_links;
