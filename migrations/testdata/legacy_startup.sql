-- What the legacy application does to a database at its start, in statements of our own: the script
-- init_db.sql, then init_db() of the service. On a schema from these migrations all of it must run
-- and change nothing in the catalog and nothing in the three central tables.

-- The script: extensions, enums, tables and indexes if missing.
CREATE EXTENSION IF NOT EXISTS pgcrypto;
CREATE EXTENSION IF NOT EXISTS citext;

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_type WHERE typname = 'employment_type') THEN
        CREATE TYPE employment_type AS ENUM ('efetivo', 'comissionado', 'estagiario');
    END IF;
    IF NOT EXISTS (SELECT FROM pg_type WHERE typname = 'employment_status') THEN
        CREATE TYPE employment_status AS ENUM ('ativo', 'inativo');
    END IF;
    IF NOT EXISTS (SELECT FROM pg_type WHERE typname = 'inactivity_reason') THEN
        CREATE TYPE inactivity_reason AS ENUM ('exoneracao', 'aposentadoria', 'termino_estagio');
    END IF;
END
$$;

-- Other white space than the migration's on purpose: it must not count.
CREATE OR REPLACE FUNCTION set_updated_at() RETURNS trigger AS $$
BEGIN NEW.updated_at := now(); RETURN NEW; END
$$ LANGUAGE plpgsql;

CREATE TABLE IF NOT EXISTS users (
    id                   uuid        NOT NULL DEFAULT gen_random_uuid(),
    cpf                  char(11),
    email                citext,
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
CREATE INDEX IF NOT EXISTS ix_users_nome ON users (name);
CREATE INDEX IF NOT EXISTS ix_users_org ON users (email_institucional);

CREATE TABLE IF NOT EXISTS roles (
    id          uuid        NOT NULL DEFAULT gen_random_uuid(),
    name        text        NOT NULL,
    description text,
    created_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT roles_pkey PRIMARY KEY (id),
    CONSTRAINT roles_name_key UNIQUE (name)
);

CREATE TABLE IF NOT EXISTS user_roles (
    user_id    uuid        NOT NULL,
    role_id    uuid        NOT NULL,
    granted_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT user_roles_pkey PRIMARY KEY (user_id, role_id),
    CONSTRAINT user_roles_role_id_fkey FOREIGN KEY (role_id) REFERENCES roles (id) ON DELETE CASCADE,
    CONSTRAINT user_roles_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
);

CREATE TABLE IF NOT EXISTS org_units (
    id         uuid          NOT NULL DEFAULT gen_random_uuid(),
    parent_id  uuid,
    code       text          NOT NULL,
    name       citext NOT NULL,
    active     boolean       NOT NULL DEFAULT true,
    created_at timestamptz   NOT NULL DEFAULT now(),
    updated_at timestamptz   NOT NULL DEFAULT now(),
    CONSTRAINT org_units_pkey PRIMARY KEY (id),
    CONSTRAINT org_units_code_key UNIQUE (code),
    CONSTRAINT org_units_parent_id_fkey FOREIGN KEY (parent_id)
        REFERENCES org_units (id) ON DELETE SET NULL
);
CREATE INDEX IF NOT EXISTS idx_org_units_name ON org_units (name);
CREATE INDEX IF NOT EXISTS idx_org_units_parent ON org_units (parent_id);

CREATE TABLE IF NOT EXISTS user_org_units (
    user_id      uuid        NOT NULL,
    org_unit_id  uuid        NOT NULL,
    primary_flag boolean     NOT NULL DEFAULT false,
    created_at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT user_org_units_pkey PRIMARY KEY (user_id, org_unit_id),
    CONSTRAINT user_org_units_org_unit_id_fkey FOREIGN KEY (org_unit_id)
        REFERENCES org_units (id) ON DELETE CASCADE,
    CONSTRAINT user_org_units_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
);
CREATE INDEX IF NOT EXISTS idx_user_org_units_org ON user_org_units (org_unit_id);
CREATE INDEX IF NOT EXISTS idx_user_org_units_user ON user_org_units (user_id);

CREATE TABLE IF NOT EXISTS auth_sessions (
    id           uuid        NOT NULL DEFAULT gen_random_uuid(),
    user_id      uuid        NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    last_seen_at timestamptz NOT NULL DEFAULT now(),
    expires_at   timestamptz NOT NULL,
    revoked_at   timestamptz,
    ip           inet,
    user_agent   text,
    csrf_token   uuid        NOT NULL DEFAULT gen_random_uuid(),
    CONSTRAINT auth_sessions_pkey PRIMARY KEY (id),
    CONSTRAINT auth_sessions_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
);
CREATE INDEX IF NOT EXISTS ix_auth_sessions_exp ON auth_sessions (expires_at);
CREATE INDEX IF NOT EXISTS ix_auth_sessions_user ON auth_sessions (user_id);

CREATE TABLE IF NOT EXISTS login_attempts (
    id               bigserial   NOT NULL,
    at               timestamptz NOT NULL DEFAULT now(),
    user_id          uuid,
    login_identifier text        NOT NULL,
    success          boolean     NOT NULL,
    reason           text,
    ip               inet,
    user_agent       text,
    CONSTRAINT login_attempts_pkey PRIMARY KEY (id),
    CONSTRAINT login_attempts_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id)
);
CREATE INDEX IF NOT EXISTS ix_login_attempts_at ON login_attempts (at DESC);
CREATE INDEX IF NOT EXISTS ix_login_attempts_ident ON login_attempts (login_identifier);

CREATE TABLE IF NOT EXISTS audit_events (
    id            bigserial   NOT NULL,
    at            timestamptz NOT NULL DEFAULT now(),
    actor_user_id uuid,
    action        text        NOT NULL,
    object_type   text,
    object_id     text,
    message       text,
    metadata      jsonb       NOT NULL DEFAULT '{}',
    ip            inet,
    user_agent    text,
    request_id    uuid,
    CONSTRAINT audit_events_pkey PRIMARY KEY (id),
    CONSTRAINT audit_events_actor_user_id_fkey FOREIGN KEY (actor_user_id) REFERENCES users (id)
);
CREATE INDEX IF NOT EXISTS ix_audit_events_action ON audit_events (action);
CREATE INDEX IF NOT EXISTS ix_audit_events_actor ON audit_events (actor_user_id);
CREATE INDEX IF NOT EXISTS ix_audit_events_at ON audit_events (at DESC);
CREATE INDEX IF NOT EXISTS ix_audit_events_meta ON audit_events USING gin (metadata);

CREATE TABLE IF NOT EXISTS app_logs (
    id         bigserial   NOT NULL,
    ts         timestamptz NOT NULL DEFAULT now(),
    level      text        NOT NULL,
    logger     text,
    message    text        NOT NULL,
    context    jsonb       NOT NULL DEFAULT '{}',
    request_id uuid,
    user_id    uuid,
    CONSTRAINT app_logs_pkey PRIMARY KEY (id),
    CONSTRAINT app_logs_level_check CHECK (level IN ('DEBUG', 'INFO', 'WARN', 'ERROR')),
    CONSTRAINT app_logs_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id)
);
CREATE INDEX IF NOT EXISTS ix_app_logs_context ON app_logs USING gin (context);
CREATE INDEX IF NOT EXISTS ix_app_logs_level ON app_logs (level);
CREATE INDEX IF NOT EXISTS ix_app_logs_ts ON app_logs (ts DESC);

CREATE TABLE IF NOT EXISTS employment (
    id                uuid                     NOT NULL DEFAULT gen_random_uuid(),
    user_id           uuid                     NOT NULL,
    type              employment_type   NOT NULL,
    status            employment_status NOT NULL,
    inactivity_reason inactivity_reason,
    org_unit_id       uuid                     NOT NULL,
    start_date        date,
    end_date          date,
    attrs             jsonb                    NOT NULL DEFAULT '{}',
    created_at        timestamptz              NOT NULL DEFAULT now(),
    updated_at        timestamptz              NOT NULL DEFAULT now(),
    CONSTRAINT employment_pkey PRIMARY KEY (id),
    CONSTRAINT chk_inactivity_reason CHECK (
        (status = 'inativo' AND inactivity_reason IS NOT NULL)
        OR (status = 'ativo' AND inactivity_reason IS NULL)
    ),
    CONSTRAINT employment_org_unit_id_fkey FOREIGN KEY (org_unit_id)
        REFERENCES org_units (id) ON DELETE RESTRICT,
    CONSTRAINT employment_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
);
CREATE INDEX IF NOT EXISTS idx_employment_org ON employment (org_unit_id);
CREATE INDEX IF NOT EXISTS idx_employment_type_status ON employment (type, status);
CREATE INDEX IF NOT EXISTS idx_employment_user ON employment (user_id);
CREATE INDEX IF NOT EXISTS ix_employment_user_active ON employment (user_id) WHERE end_date IS NULL;

CREATE TABLE IF NOT EXISTS employment_efetivo (
    employment_id                   uuid        NOT NULL,
    decreto_nomeacao_numero         text,
    decreto_nomeacao_data           date,
    posse_data                      date,
    exercicio_data                  date,
    classe                          text,
    lotacao_portaria                text,
    cedido_de                       text,
    cedido_para                     text,
    estabilidade_data               date,
    estabilidade_protocolo          text,
    estabilidade_resolucao_conjunta text,
    estabilidade_publicacao_data    date,
    updated_at                      timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT employment_efetivo_pkey PRIMARY KEY (employment_id),
    CONSTRAINT employment_efetivo_employment_id_fkey FOREIGN KEY (employment_id)
        REFERENCES employment (id) ON DELETE CASCADE
);

CREATE TABLE IF NOT EXISTS employment_efetivo_outro_cargo (
    id                        bigserial   NOT NULL,
    employment_id             uuid        NOT NULL,
    funcao_ou_cc              text,
    decreto_nomeacao_numero   text,
    decreto_nomeacao_data     date,
    posse_data                date,
    exercicio_data            date,
    simbolo                   text,
    decreto_exoneracao_numero text,
    decreto_exoneracao_data   date,
    created_at                timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT employment_efetivo_outro_cargo_pkey PRIMARY KEY (id),
    CONSTRAINT employment_efetivo_outro_cargo_employment_id_fkey FOREIGN KEY (employment_id)
        REFERENCES employment (id) ON DELETE CASCADE
);
CREATE INDEX IF NOT EXISTS ix_emp_efetivo_outro_emp ON employment_efetivo_outro_cargo (employment_id);

CREATE TABLE IF NOT EXISTS employment_comissionado (
    employment_id             uuid        NOT NULL,
    decreto_nomeacao_numero   text,
    decreto_nomeacao_data     date,
    posse_data                date,
    exercicio_data            date,
    simbolo                   text,
    decreto_exoneracao_numero text,
    decreto_exoneracao_data   date,
    com_vinculo               boolean,
    funcao_exercida           text,
    updated_at                timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT employment_comissionado_pkey PRIMARY KEY (employment_id),
    CONSTRAINT employment_comissionado_employment_id_fkey FOREIGN KEY (employment_id)
        REFERENCES employment (id) ON DELETE CASCADE
);

CREATE TABLE IF NOT EXISTS employment_estagiario (
    employment_id         uuid        NOT NULL,
    tce_numero            text,
    tce_ano               integer,
    inicio_data           date,
    fim_data              date,
    aditivo_novo_fim_data date,
    rescisao_data         date,
    fluxogramas           text,
    frequencia            text,
    pagamento             text,
    vale_transporte       boolean,
    limite_alerta_data    date GENERATED ALWAYS AS ((COALESCE(aditivo_novo_fim_data, fim_data) - interval '1 month')::date) STORED,
    updated_at            timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT employment_estagiario_pkey PRIMARY KEY (employment_id),
    CONSTRAINT employment_estagiario_employment_id_fkey FOREIGN KEY (employment_id)
        REFERENCES employment (id) ON DELETE CASCADE
);

CREATE TABLE IF NOT EXISTS efetivo_capacitacoes (
    id                 bigserial   NOT NULL,
    employment_id      uuid        NOT NULL,
    protocolo          text,
    curso              text        NOT NULL,
    conclusao_data     date,
    decreto_numero     text,
    resolucao_conjunta text,
    classe             text,
    created_at         timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT efetivo_capacitacoes_pkey PRIMARY KEY (id),
    CONSTRAINT efetivo_capacitacoes_employment_id_fkey FOREIGN KEY (employment_id)
        REFERENCES employment (id) ON DELETE CASCADE
);
CREATE INDEX IF NOT EXISTS ix_cap_emp ON efetivo_capacitacoes (employment_id);

CREATE TABLE IF NOT EXISTS efetivo_giti (
    id             bigserial   NOT NULL,
    employment_id  uuid        NOT NULL,
    curso          text        NOT NULL,
    conclusao_data date,
    tipo           text        NOT NULL,
    percentual     integer     NOT NULL,
    created_at     timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT efetivo_giti_pkey PRIMARY KEY (id),
    CONSTRAINT efetivo_giti_percentual_check CHECK (percentual IN (10, 15, 20)),
    CONSTRAINT efetivo_giti_tipo_check CHECK (lower(tipo) IN ('graduacao', 'mestrado', 'doutorado', 'pos')),
    CONSTRAINT efetivo_giti_employment_id_fkey FOREIGN KEY (employment_id)
        REFERENCES employment (id) ON DELETE CASCADE
);
CREATE INDEX IF NOT EXISTS ix_giti_emp ON efetivo_giti (employment_id);

CREATE TABLE IF NOT EXISTS user_education_graduacao (
    id             bigserial   NOT NULL,
    user_id        uuid        NOT NULL,
    curso          text        NOT NULL,
    instituicao    text,
    conclusao_data date,
    created_at     timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT user_education_graduacao_pkey PRIMARY KEY (id),
    CONSTRAINT user_education_graduacao_user_id_fkey FOREIGN KEY (user_id)
        REFERENCES users (id) ON DELETE CASCADE
);
CREATE INDEX IF NOT EXISTS ix_u_edu_grad_user ON user_education_graduacao (user_id);

CREATE TABLE IF NOT EXISTS user_education_posgrad (
    id             bigserial   NOT NULL,
    user_id        uuid        NOT NULL,
    curso          text        NOT NULL,
    tipo           text,
    instituicao    text,
    conclusao_data date,
    created_at     timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT user_education_posgrad_pkey PRIMARY KEY (id),
    CONSTRAINT user_education_posgrad_tipo_check CHECK (tipo IS NULL OR lower(tipo) IN ('especializacao', 'mestrado', 'doutorado', 'pos')),
    CONSTRAINT user_education_posgrad_user_id_fkey FOREIGN KEY (user_id)
        REFERENCES users (id) ON DELETE CASCADE
);
CREATE INDEX IF NOT EXISTS ix_u_edu_pos_user ON user_education_posgrad (user_id);

CREATE TABLE IF NOT EXISTS platform_alerts (
    id                         uuid        NOT NULL DEFAULT gen_random_uuid(),
    title                      text        NOT NULL,
    message                    text        NOT NULL,
    level                      text        NOT NULL DEFAULT 'warning',
    status                     text        NOT NULL DEFAULT 'published',
    created_by_user_id         uuid,
    closed_by_user_id          uuid,
    actor_cpf                  text,
    actor_nome                 text,
    actor_email                text,
    created_at                 timestamptz NOT NULL DEFAULT now(),
    updated_at                 timestamptz NOT NULL DEFAULT now(),
    published_at               timestamptz NOT NULL DEFAULT now(),
    expires_at                 timestamptz NOT NULL,
    closed_at                  timestamptz,
    closed_reason              text,
    allow_dismiss              boolean     NOT NULL DEFAULT false,
    objection_enabled          boolean     NOT NULL DEFAULT true,
    objection_requires_message boolean     NOT NULL DEFAULT true,
    tab_badge_enabled          boolean     NOT NULL DEFAULT true,
    CONSTRAINT platform_alerts_pkey PRIMARY KEY (id),
    CONSTRAINT platform_alerts_level_check CHECK (level IN ('info', 'warning', 'danger')),
    CONSTRAINT platform_alerts_status_check CHECK (status IN ('published', 'closed', 'expired', 'cancelled')),
    CONSTRAINT platform_alerts_closed_by_user_id_fkey FOREIGN KEY (closed_by_user_id)
        REFERENCES users (id) ON DELETE SET NULL,
    CONSTRAINT platform_alerts_created_by_user_id_fkey FOREIGN KEY (created_by_user_id)
        REFERENCES users (id) ON DELETE SET NULL
);
CREATE INDEX IF NOT EXISTS ix_platform_alerts_expires_at ON platform_alerts (expires_at);
CREATE INDEX IF NOT EXISTS ix_platform_alerts_status_published_at ON platform_alerts (status, published_at DESC);
CREATE UNIQUE INDEX IF NOT EXISTS ux_platform_alerts_single_published ON platform_alerts ((1)) WHERE status = 'published';

CREATE TABLE IF NOT EXISTS platform_alert_recipients (
    alert_id          uuid        NOT NULL,
    user_id           uuid        NOT NULL,
    status            text        NOT NULL DEFAULT 'pending',
    delivered_at      timestamptz NOT NULL DEFAULT now(),
    first_seen_at     timestamptz,
    responded_at      timestamptz,
    confirmed_at      timestamptz,
    objected_at       timestamptz,
    objection_message text,
    updated_at        timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT platform_alert_recipients_pkey PRIMARY KEY (alert_id, user_id),
    CONSTRAINT platform_alert_recipients_status_check CHECK (status IN ('pending', 'seen', 'confirmed', 'objected')),
    CONSTRAINT platform_alert_recipients_alert_id_fkey FOREIGN KEY (alert_id)
        REFERENCES platform_alerts (id) ON DELETE CASCADE,
    CONSTRAINT platform_alert_recipients_user_id_fkey FOREIGN KEY (user_id)
        REFERENCES users (id) ON DELETE CASCADE
);
CREATE INDEX IF NOT EXISTS ix_platform_alert_recipients_alert_status ON platform_alert_recipients (alert_id, status);
CREATE INDEX IF NOT EXISTS ix_platform_alert_recipients_user_status ON platform_alert_recipients (user_id, status, delivered_at DESC);

-- Its triggers, if missing.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_trigger WHERE tgname = 'trg_users_updated_at') THEN
        CREATE TRIGGER trg_users_updated_at BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION set_updated_at();
    END IF;
    IF NOT EXISTS (SELECT FROM pg_trigger WHERE tgname = 'trg_org_units_updated_at') THEN
        CREATE TRIGGER trg_org_units_updated_at BEFORE UPDATE ON org_units FOR EACH ROW EXECUTE FUNCTION set_updated_at();
    END IF;
    IF NOT EXISTS (SELECT FROM pg_trigger WHERE tgname = 'trg_employment_updated_at') THEN
        CREATE TRIGGER trg_employment_updated_at BEFORE UPDATE ON employment FOR EACH ROW EXECUTE FUNCTION set_updated_at();
    END IF;
    IF NOT EXISTS (SELECT FROM pg_trigger WHERE tgname = 'trg_emp_efetivo_touch') THEN
        CREATE TRIGGER trg_emp_efetivo_touch BEFORE UPDATE ON employment_efetivo FOR EACH ROW EXECUTE FUNCTION set_updated_at();
    END IF;
    IF NOT EXISTS (SELECT FROM pg_trigger WHERE tgname = 'trg_emp_comis_touch') THEN
        CREATE TRIGGER trg_emp_comis_touch BEFORE UPDATE ON employment_comissionado FOR EACH ROW EXECUTE FUNCTION set_updated_at();
    END IF;
    IF NOT EXISTS (SELECT FROM pg_trigger WHERE tgname = 'trg_emp_estag_touch') THEN
        CREATE TRIGGER trg_emp_estag_touch BEFORE UPDATE ON employment_estagiario FOR EACH ROW EXECUTE FUNCTION set_updated_at();
    END IF;
END
$$;

-- Its seeds, if missing; dev@local is put back as the active super-user each time.
INSERT INTO roles (name, description) VALUES
    ('admin', 'Acesso administrativo'), ('coordenador', 'Papel legado sem atribuições padrão'),
    ('daf', NULL), ('dfq', NULL), ('dnr', NULL), ('dp', NULL), ('dre', NULL), ('rh', NULL)
ON CONFLICT (name) DO NOTHING;

INSERT INTO org_units (code, name) VALUES ('AGEPAR', 'AGEPAR') ON CONFLICT (code) DO NOTHING;
INSERT INTO org_units (code, name, parent_id)
SELECT u.code, u.name, p.id
FROM (VALUES ('AGEPAR-GOV', 'Governança'), ('AGEPAR-TI', 'Tecnologia da Informação')) AS u (code, name), org_units AS p
WHERE p.code = 'AGEPAR'
ON CONFLICT (code) DO NOTHING;
INSERT INTO org_units (code, name, parent_id)
SELECT u.code, u.name, p.id
FROM (VALUES ('GOV-COMPRAS', 'Compras & Contratos'), ('GOV-JUR', 'Jurídico'), ('GOV-OUV', 'Ouvidoria'), ('GOV-RH', 'Recursos Humanos')) AS u (code, name), org_units AS p
WHERE p.code = 'AGEPAR-GOV'
ON CONFLICT (code) DO NOTHING;
INSERT INTO org_units (code, name, parent_id)
SELECT u.code, u.name, p.id
FROM (VALUES ('TI-DEV', 'Desenvolvimento'), ('TI-INFRA', 'Infraestrutura')) AS u (code, name), org_units AS p
WHERE p.code = 'AGEPAR-TI'
ON CONFLICT (code) DO NOTHING;

INSERT INTO users (email, name, status, source, is_superuser, attrs, must_change_password)
VALUES ('dev@local', 'Dev Admin', 'active', 'local', true, '{"seed": true}', false)
ON CONFLICT (email) DO UPDATE
SET name = EXCLUDED.name, status = 'active', source = 'local', is_superuser = true, password_hash = NULL, must_change_password = false;
INSERT INTO user_roles (user_id, role_id)
SELECT u.id, r.id FROM users AS u, roles AS r WHERE u.email = 'dev@local' AND r.name = 'admin'
ON CONFLICT DO NOTHING;

-- Its views.
CREATE OR REPLACE VIEW audits AS
SELECT id, at AS created_at, actor_user_id AS user_id, action, object_type, object_id, message, metadata FROM audit_events;

CREATE OR REPLACE VIEW v_rh_users AS
SELECT u.id::text AS id, u.name AS nome_completo, u.cpf, u.email AS email_principal, u.email_institucional,
    u.telefone_principal, u.ramal, u.endereco, u.dependentes_qtde, u.formacao_nivel_medio, u.status AS status_usuario,
    e.type AS tipo_vinculo, e.status AS status_vinculo, e.inactivity_reason AS motivo_inatividade,
    ou.code AS org_code, ou.name AS org_name
FROM users u
LEFT JOIN employment e ON e.user_id = u.id AND e.end_date IS NULL
LEFT JOIN org_units ou ON ou.id = e.org_unit_id;

-- init_db(): its own tables and, a second time under other constraint names, those of the notices.
CREATE TABLE IF NOT EXISTS submissions (
    id          text        NOT NULL,
    kind        text        NOT NULL,
    version     text        NOT NULL,
    actor_cpf   text,
    actor_nome  text,
    actor_email text,
    payload     jsonb       NOT NULL,
    status      text        NOT NULL,
    result      jsonb,
    error       text,
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT submissions_pkey PRIMARY KEY (id),
    CONSTRAINT chk_submissions_status CHECK (status IN ('queued', 'running', 'done', 'error'))
);
CREATE INDEX IF NOT EXISTS ix_submissions_actor_cpf_created ON submissions (actor_cpf, created_at DESC);
CREATE INDEX IF NOT EXISTS ix_submissions_actor_email_created ON submissions (actor_email, created_at DESC);
CREATE INDEX IF NOT EXISTS ix_submissions_created_at ON submissions (created_at DESC);
CREATE INDEX IF NOT EXISTS ix_submissions_kind_actor_cpf_created ON submissions (kind, actor_cpf, created_at DESC);
CREATE INDEX IF NOT EXISTS ix_submissions_kind_actor_email_created ON submissions (kind, actor_email, created_at DESC);
CREATE INDEX IF NOT EXISTS ix_submissions_kind_created ON submissions (kind, created_at DESC);
CREATE INDEX IF NOT EXISTS ix_submissions_kind_payload_numero ON submissions (kind, (payload ->> 'numero'));
CREATE INDEX IF NOT EXISTS ix_submissions_kind_payload_protocolo ON submissions (kind, (payload ->> 'protocolo'));
CREATE INDEX IF NOT EXISTS ix_submissions_kind_status_created ON submissions (kind, status, created_at DESC);
CREATE INDEX IF NOT EXISTS ix_submissions_payload_gin ON submissions USING gin (payload);
CREATE INDEX IF NOT EXISTS ix_submissions_result_gin ON submissions USING gin (result);

CREATE TABLE IF NOT EXISTS automation_audits (
    id         bigserial   NOT NULL,
    at         timestamptz NOT NULL DEFAULT now(),
    actor_cpf  text,
    actor_nome text,
    kind       text        NOT NULL,
    action     text        NOT NULL,
    meta       jsonb,
    CONSTRAINT automation_audits_pkey PRIMARY KEY (id)
);
CREATE INDEX IF NOT EXISTS ix_automation_audits_at ON automation_audits (at DESC);

CREATE TABLE IF NOT EXISTS fileshare_items (
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
CREATE INDEX IF NOT EXISTS ix_fileshare_created_at ON fileshare_items (created_at DESC);
CREATE INDEX IF NOT EXISTS ix_fileshare_deleted ON fileshare_items (deleted_at, expires_at);
CREATE INDEX IF NOT EXISTS ix_fileshare_expires_at ON fileshare_items (expires_at DESC);
CREATE INDEX IF NOT EXISTS ix_fileshare_owner ON fileshare_items (owner_id, created_at DESC);

CREATE TABLE IF NOT EXISTS notifications (
    id                 uuid        NOT NULL DEFAULT gen_random_uuid(),
    created_at         timestamptz NOT NULL DEFAULT now(),
    created_by_user_id uuid,
    actor_cpf          text,
    actor_nome         text,
    actor_email        text,
    title              text        NOT NULL,
    message            text        NOT NULL,
    level              text        NOT NULL DEFAULT 'info',
    action_url         text,
    meta               jsonb,
    CONSTRAINT notifications_pkey PRIMARY KEY (id),
    CONSTRAINT notifications_created_by_user_id_fkey FOREIGN KEY (created_by_user_id)
        REFERENCES users (id) ON DELETE SET NULL
);
CREATE INDEX IF NOT EXISTS ix_notifications_created_at ON notifications (created_at DESC);

CREATE TABLE IF NOT EXISTS notification_recipients (
    notification_id uuid        NOT NULL,
    user_id         uuid        NOT NULL,
    delivered_at    timestamptz NOT NULL DEFAULT now(),
    read_at         timestamptz,
    CONSTRAINT notification_recipients_pkey PRIMARY KEY (notification_id, user_id),
    CONSTRAINT notification_recipients_notification_id_fkey FOREIGN KEY (notification_id)
        REFERENCES notifications (id) ON DELETE CASCADE,
    CONSTRAINT notification_recipients_user_id_fkey FOREIGN KEY (user_id)
        REFERENCES users (id) ON DELETE CASCADE
);
CREATE INDEX IF NOT EXISTS ix_notification_recipients_user ON notification_recipients (user_id);
CREATE INDEX IF NOT EXISTS ix_notification_recipients_user_unread ON notification_recipients (user_id) WHERE read_at IS NULL;

CREATE TABLE IF NOT EXISTS tasks (
    id                      uuid        NOT NULL DEFAULT gen_random_uuid(),
    title                   text        NOT NULL,
    description             text        NOT NULL DEFAULT '',
    status                  text        NOT NULL DEFAULT 'a_fazer',
    priority                text        NOT NULL DEFAULT 'media',
    start_date              date,
    due_date                date,
    completed_at            timestamptz,
    created_by_user_id      uuid        NOT NULL,
    assigned_to_user_id     uuid,
    last_updated_by_user_id uuid,
    deleted_at              timestamptz,
    deleted_by_user_id      uuid,
    source_kind             text,
    source_id               text,
    assigned_role_name      text,
    created_at              timestamptz NOT NULL DEFAULT now(),
    updated_at              timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT tasks_pkey PRIMARY KEY (id),
    CONSTRAINT chk_tasks_priority CHECK (priority IN ('baixa', 'media', 'alta', 'urgente')),
    CONSTRAINT chk_tasks_status CHECK (status IN ('a_fazer', 'em_andamento', 'concluida', 'cancelada')),
    CONSTRAINT tasks_assigned_to_user_id_fkey FOREIGN KEY (assigned_to_user_id)
        REFERENCES users (id) ON DELETE SET NULL,
    CONSTRAINT tasks_created_by_user_id_fkey FOREIGN KEY (created_by_user_id)
        REFERENCES users (id) ON DELETE RESTRICT,
    CONSTRAINT tasks_deleted_by_user_id_fkey FOREIGN KEY (deleted_by_user_id)
        REFERENCES users (id) ON DELETE SET NULL,
    CONSTRAINT tasks_last_updated_by_user_id_fkey FOREIGN KEY (last_updated_by_user_id)
        REFERENCES users (id) ON DELETE SET NULL
);
CREATE INDEX IF NOT EXISTS ix_tasks_assignee ON tasks (assigned_to_user_id);
CREATE INDEX IF NOT EXISTS ix_tasks_created_at ON tasks (created_at DESC);
CREATE INDEX IF NOT EXISTS ix_tasks_creator ON tasks (created_by_user_id);
CREATE INDEX IF NOT EXISTS ix_tasks_deleted_at ON tasks (deleted_at);
CREATE INDEX IF NOT EXISTS ix_tasks_due_date ON tasks (due_date);
CREATE INDEX IF NOT EXISTS ix_tasks_status_updated_at ON tasks (status, updated_at DESC);

CREATE TABLE IF NOT EXISTS task_comments (
    id            bigserial   NOT NULL,
    task_id       uuid        NOT NULL,
    actor_user_id uuid        NOT NULL,
    body          text        NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT now(),
    updated_at    timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT task_comments_pkey PRIMARY KEY (id),
    CONSTRAINT task_comments_actor_user_id_fkey FOREIGN KEY (actor_user_id)
        REFERENCES users (id) ON DELETE RESTRICT,
    CONSTRAINT task_comments_task_id_fkey FOREIGN KEY (task_id) REFERENCES tasks (id) ON DELETE CASCADE
);
CREATE INDEX IF NOT EXISTS ix_task_comments_task_created_at ON task_comments (task_id, created_at);

CREATE TABLE IF NOT EXISTS task_events (
    id            bigserial   NOT NULL,
    task_id       uuid        NOT NULL,
    actor_user_id uuid,
    event_type    text        NOT NULL,
    old_value     jsonb,
    new_value     jsonb,
    metadata      jsonb       NOT NULL DEFAULT '{}',
    created_at    timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT task_events_pkey PRIMARY KEY (id),
    CONSTRAINT task_events_actor_user_id_fkey FOREIGN KEY (actor_user_id)
        REFERENCES users (id) ON DELETE SET NULL,
    CONSTRAINT task_events_task_id_fkey FOREIGN KEY (task_id) REFERENCES tasks (id) ON DELETE CASCADE
);
CREATE INDEX IF NOT EXISTS ix_task_events_task_created_at ON task_events (task_id, created_at DESC);

CREATE TABLE IF NOT EXISTS platform_alerts (
    id                         uuid        NOT NULL DEFAULT gen_random_uuid(),
    title                      text        NOT NULL,
    message                    text        NOT NULL,
    level                      text        NOT NULL DEFAULT 'warning',
    status                     text        NOT NULL DEFAULT 'published',
    created_by_user_id         uuid,
    closed_by_user_id          uuid,
    actor_cpf                  text,
    actor_nome                 text,
    actor_email                text,
    created_at                 timestamptz NOT NULL DEFAULT now(),
    updated_at                 timestamptz NOT NULL DEFAULT now(),
    published_at               timestamptz NOT NULL DEFAULT now(),
    expires_at                 timestamptz NOT NULL,
    closed_at                  timestamptz,
    closed_reason              text,
    allow_dismiss              boolean     NOT NULL DEFAULT false,
    objection_enabled          boolean     NOT NULL DEFAULT true,
    objection_requires_message boolean     NOT NULL DEFAULT true,
    tab_badge_enabled          boolean     NOT NULL DEFAULT true,
    CONSTRAINT platform_alerts_pkey PRIMARY KEY (id),
    CONSTRAINT chk_platform_alerts_level CHECK (level IN ('info', 'warning', 'danger')),
    CONSTRAINT chk_platform_alerts_status CHECK (status IN ('published', 'closed', 'expired', 'cancelled')),
    CONSTRAINT platform_alerts_closed_by_user_id_fkey FOREIGN KEY (closed_by_user_id)
        REFERENCES users (id) ON DELETE SET NULL,
    CONSTRAINT platform_alerts_created_by_user_id_fkey FOREIGN KEY (created_by_user_id)
        REFERENCES users (id) ON DELETE SET NULL
);
CREATE INDEX IF NOT EXISTS ix_platform_alerts_expires_at ON platform_alerts (expires_at);
CREATE INDEX IF NOT EXISTS ix_platform_alerts_status_published_at ON platform_alerts (status, published_at DESC);
CREATE UNIQUE INDEX IF NOT EXISTS ux_platform_alerts_single_published ON platform_alerts ((1)) WHERE status = 'published';

CREATE TABLE IF NOT EXISTS platform_alert_recipients (
    alert_id          uuid        NOT NULL,
    user_id           uuid        NOT NULL,
    status            text        NOT NULL DEFAULT 'pending',
    delivered_at      timestamptz NOT NULL DEFAULT now(),
    first_seen_at     timestamptz,
    responded_at      timestamptz,
    confirmed_at      timestamptz,
    objected_at       timestamptz,
    objection_message text,
    updated_at        timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT platform_alert_recipients_pkey PRIMARY KEY (alert_id, user_id),
    CONSTRAINT chk_platform_alert_recipient_status CHECK (status IN ('pending', 'seen', 'confirmed', 'objected')),
    CONSTRAINT platform_alert_recipients_alert_id_fkey FOREIGN KEY (alert_id)
        REFERENCES platform_alerts (id) ON DELETE CASCADE,
    CONSTRAINT platform_alert_recipients_user_id_fkey FOREIGN KEY (user_id)
        REFERENCES users (id) ON DELETE CASCADE
);
CREATE INDEX IF NOT EXISTS ix_platform_alert_recipients_alert_status ON platform_alert_recipients (alert_id, status);
CREATE INDEX IF NOT EXISTS ix_platform_alert_recipients_user_status ON platform_alert_recipients (user_id, status, delivered_at DESC);

CREATE OR REPLACE FUNCTION touch_updated_at() RETURNS trigger AS $$
    BEGIN
        NEW.updated_at = now();
        RETURN NEW;
    END;
$$ LANGUAGE plpgsql;

DROP TRIGGER IF EXISTS trg_submissions_touch ON submissions;
CREATE TRIGGER trg_submissions_touch BEFORE UPDATE ON submissions FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
DROP TRIGGER IF EXISTS trg_tasks_touch ON tasks;
CREATE TRIGGER trg_tasks_touch BEFORE UPDATE ON tasks FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
DROP TRIGGER IF EXISTS trg_task_comments_touch ON task_comments;
CREATE TRIGGER trg_task_comments_touch BEFORE UPDATE ON task_comments FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

ALTER TABLE tasks DROP CONSTRAINT IF EXISTS chk_tasks_status;
ALTER TABLE tasks ADD CONSTRAINT chk_tasks_status
    CHECK (status IN ('a_fazer', 'em_andamento', 'concluida', 'cancelada'));

-- The step after init_db().
ALTER TABLE users ADD COLUMN IF NOT EXISTS saldo_ferias integer NOT NULL DEFAULT 30;
ALTER TABLE users ADD COLUMN IF NOT EXISTS saldo_ferias_ano integer NOT NULL DEFAULT EXTRACT(year FROM now())::integer;
