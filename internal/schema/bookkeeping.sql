-- The engine's own tables. Additive only: a later binary adds to them and raises the number in portaldb.meta, an earlier
-- one goes on with what it knows. Only the role that migrates has rights here: bodies in the history are SQL that it runs.
create schema if not exists portaldb;

create table if not exists portaldb.meta (
    only_row boolean primary key default true constraint meta_only_row_check check (only_row),
    bookkeeping integer not null,
    environment text,
    created_at timestamptz not null default now()
);

create table if not exists portaldb.history (
    seq bigint generated always as identity primary key,
    version bigint not null,
    name text not null,
    direction text not null constraint history_direction_check check (direction in ('up', 'down')),
    checksum text not null,
    body text not null,
    effect jsonb,
    actor text not null,
    binary_version text not null,
    started_at timestamptz not null,
    ms bigint not null,
    outcome text not null constraint history_outcome_check check (outcome in ('done', 'failed')),
    error text
);

comment on schema portaldb is 'Bookkeeping of portaldb: written by it alone.';

insert into portaldb.meta (bookkeeping) values (1) on conflict do nothing;
