-- +goose Up
-- Why:   accounts of staff, with HR master data and the vacation balance. Nearly every other
--        table refers to it.
-- Locks: none that waits: the table is new.
-- Down:  drops the table, and with it every account.
CREATE TABLE public.users (
    id                   uuid        NOT NULL DEFAULT gen_random_uuid(),
    cpf                  char(11),
    email                public.citext,
    name                 text        NOT NULL,
    password_hash        text,
    phone                text,
    status               text        NOT NULL DEFAULT 'active',
    source               text        NOT NULL DEFAULT 'local',
    is_superuser         boolean     NOT NULL DEFAULT false,
    attrs                jsonb       NOT NULL DEFAULT '{}',
    saldo_ferias         integer     NOT NULL DEFAULT 30,
    saldo_ferias_ano     integer     NOT NULL DEFAULT EXTRACT(year FROM now())::integer,
    last_login_at        timestamptz,
    verified_at          timestamptz,
    created_at           timestamptz NOT NULL DEFAULT now(),
    updated_at           timestamptz NOT NULL DEFAULT now(),
    rg                   text,
    id_funcional         bigint,
    data_nascimento      date,
    email_institucional  text,
    telefone_principal   text,
    ramal                text,
    endereco             text,
    dependentes_qtde     integer     NOT NULL DEFAULT 0,
    formacao_nivel_medio boolean     NOT NULL DEFAULT false,
    must_change_password boolean     NOT NULL DEFAULT true,

    CONSTRAINT users_pkey PRIMARY KEY (id),
    CONSTRAINT uq_users_cpf UNIQUE (cpf),
    CONSTRAINT uq_users_email UNIQUE (email),
    CONSTRAINT users_cpf_format CHECK (cpf IS NULL OR cpf ~ '^[0-9]{11}$'),
    CONSTRAINT users_source_check CHECK (source IN ('local', 'eprotocolo')),
    CONSTRAINT users_status_check CHECK (status IN ('active', 'blocked', 'pending'))
);

CREATE INDEX ix_users_nome ON public.users (name);
CREATE INDEX ix_users_org ON public.users (email_institucional);

CREATE TRIGGER trg_users_updated_at
    BEFORE UPDATE ON public.users
    FOR EACH ROW EXECUTE FUNCTION public.set_updated_at();

-- +goose Down
DROP TABLE public.users;
