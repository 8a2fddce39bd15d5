-- The engine's own tables. Additive only: a later binary adds to them and raises the number in portaldb.meta, an earlier
-- one goes on with what it knows. Only the role that migrates has rights here: bodies in the history are SQL that it runs.
create schema if not exists portaldb;

create table if not exists portaldb.meta (
    only_row boolean primary key default true constraint meta_only_row_check check (only_row),
    bookkeeping integer not null,
    environment text,
    created_at timestamptz not null default now()
);

-- What was done to the schema, failures too; never deleted. seq has no gaps and hash covers the row and the hash before,
-- so that a row that was lost or edited by accident shows. The runs write one after the other, under the migration lock.
create table if not exists portaldb.history (
    seq bigint constraint history_pkey primary key,
    version bigint not null,
    name text not null,
    direction text not null constraint history_direction_check check (direction in ('up', 'down')),
    checksum text not null,
    body text not null,
    effect jsonb,
    role text not null default session_user,
    actor text not null,
    ci_job text,
    ci_commit text,
    binary_version text not null,
    plan_digest text,
    started_at timestamptz not null,
    ms bigint not null,
    outcome text not null constraint history_outcome_check check (outcome in ('done', 'failed')),
    error text,
    trash text[],
    previous_hash text not null,
    hash text not null
);

create index if not exists history_version_idx on portaldb.history (version, seq desc);

-- What stops up, everywhere, during an incident; at most one is in force.
create table if not exists portaldb.holds (
    id bigint generated always as identity constraint holds_pkey primary key,
    reason text not null,
    actor text not null,
    since timestamptz not null default now(),
    until timestamptz,
    environment text,
    released_at timestamptz,
    released_by text
);
create unique index if not exists holds_one_active_idx on portaldb.holds ((true)) where released_at is null;

-- The releases of the program that have worked here, with all that they send: what a rollback asks whether an older
-- binary could go on.
create table if not exists portaldb.releases (
    release text constraint releases_pkey primary key,
    version bigint not null,
    statements jsonb not null,
    recorded_at timestamptz not null default now()
);

-- The processes that serve, by their own report.
create table if not exists portaldb.replicas (
    id uuid constraint replicas_pkey primary key,
    release text not null,
    version bigint not null,
    actor text not null,
    environment text,
    started_at timestamptz not null default now(),
    seen_at timestamptz not null default now()
);

-- From 3 on. Differences from the schema of a version that a person has accepted, each as verify names it.
create table if not exists portaldb.accepted (
    difference jsonb not null,
    reason text not null constraint accepted_reason_check check (reason <> ''),
    actor text not null,
    role text not null default session_user,
    accepted_at timestamptz not null default now()
);

-- A definition can be longer than an index entry.
create unique index if not exists accepted_difference_idx on portaldb.accepted (md5(difference::text));

-- From 4 on. What rollbacks have kept, and where: a table that was moved or copied, columns copied with the key of their
-- rows, the position of a sequence. Personal data may be in it, which is why it must end: restored or purged.
create table if not exists portaldb.trash (
    id bigint generated always as identity constraint trash_pkey primary key,
    version bigint not null,
    name text not null,
    run bigint not null, -- the history's row with which the rollback began
    kind text not null constraint trash_kind_check check (kind in ('table', 'column', 'sequence')),
    object text not null, -- the table or sequence as it was called
    columns text[] not null,
    key text[] not null,
    kept_in text, -- null where the position below is all
    position jsonb,
    foreign_keys jsonb, -- those that a moved table had, in and out
    types text[] not null, -- kept with it, since its columns are of them
    altered boolean not null, -- the columns were there before the migration, with another type
    restorable boolean not null, -- the migration makes the object again
    rows bigint not null,
    bytes bigint not null,
    actor text not null,
    role text not null default session_user,
    kept_at timestamptz not null default now(),
    restored_at timestamptz,
    left_rows bigint, -- those that could not be put back
    purged_at timestamptz
);

create index if not exists trash_version_idx on portaldb.trash (version) where restored_at is null and purged_at is null;

insert into portaldb.meta (bookkeeping) values (4) on conflict (only_row) do update set bookkeeping = excluded.bookkeeping;
