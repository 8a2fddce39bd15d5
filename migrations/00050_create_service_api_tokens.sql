-- +goose Up
-- Why:   who may call the HTTP API, and as what. Only the SHA-256 of a token is kept: a copy of
--        this table opens nothing.
-- Locks: none that waits: the table is new.
-- Down:  drops the table, and with it every token: all callers are refused until new ones are made.
CREATE TABLE service.api_tokens (
    id         uuid        NOT NULL DEFAULT gen_random_uuid(),
    name       text        NOT NULL,
    role       text        NOT NULL,
    token_hash bytea       NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz,
    revoked_at timestamptz,

    CONSTRAINT api_tokens_pkey PRIMARY KEY (id),
    CONSTRAINT api_tokens_token_hash_key UNIQUE (token_hash),
    CONSTRAINT api_tokens_role_check CHECK (role IN ('reader', 'writer', 'admin')),
    CONSTRAINT api_tokens_token_hash_check CHECK (octet_length(token_hash) = 32)
);

-- +goose Down
DROP TABLE service.api_tokens;
