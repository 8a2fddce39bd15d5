-- +goose Up
-- Why:   links to files shared for some days; the bytes lie on disk at path. Rows are
--        soft-deleted, never removed.
-- Locks: none that waits: the table is new.
-- Down:  drops the table, and with it every link: the files stay on disk, and nothing names them.
CREATE TABLE public.fileshare_items (
    id           text        NOT NULL,
    filename     text        NOT NULL,
    size         bigint      NOT NULL,
    content_type text,
    path         text        NOT NULL,
    owner_id     text,
    owner_name   text,
    created_at   timestamptz NOT NULL DEFAULT now(),
    expires_at   timestamptz NOT NULL,
    secret_hash  text,
    downloads    integer     NOT NULL DEFAULT 0,
    deleted_at   timestamptz,

    CONSTRAINT fileshare_items_pkey PRIMARY KEY (id)
);

CREATE INDEX ix_fileshare_created_at ON public.fileshare_items (created_at DESC);
CREATE INDEX ix_fileshare_deleted ON public.fileshare_items (deleted_at, expires_at);
CREATE INDEX ix_fileshare_expires_at ON public.fileshare_items (expires_at DESC);
CREATE INDEX ix_fileshare_owner ON public.fileshare_items (owner_id, created_at DESC);

-- +goose Down
DROP TABLE public.fileshare_items;
