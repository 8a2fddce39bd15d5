-- Every object of the database that is neither the system's, an extension's, nor the engine's own bookkeeping, as
-- (kind, parent, name, attributes). An attribute is text, and absent where it has the value that PostgreSQL gives
-- when nothing is said, so that the same meaning is the same row on every server. The caller has emptied search_path:
-- all definitions come out qualified.
with
  space as materialized (
    select n.oid, quote_ident(n.nspname) as name, n.nspowner as owner, n.nspacl as acl,
           -- the roles whose ownership is the ordinary case: the schema public belongs to pg_database_owner, and where a
           -- DBA made the database, what is in it belongs to the role that migrates, or that ran the legacy scripts
           array[n.nspowner, d.datdba, (select relowner from pg_class
                                        where oid = coalesce(to_regclass('public.goose_db_version'), to_regclass('public.users')))] as owners
    from pg_namespace n, pg_database d
    where d.datname = current_database()
      and n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'portaldb', 'portaldb_trash')
  ),
  member as materialized (
    select classid, objid from pg_depend where deptype = 'e'
  ),
  rel as materialized (
    select c.*, s.name || '.' || quote_ident(c.relname) as name, s.name as space, s.owners
    from pg_class c
    join space s on s.oid = c.relnamespace
    where c.relname not in ('goose_db_version', 'goose_db_version_id_seq')
      and not exists (select from member m where m.classid = 'pg_class'::regclass and m.objid = c.oid)
  ),
  grants as materialized (
    -- what others than the owner may do, one text for an access list
    select acl.key, string_agg(acl.grantee || ': ' || acl.privileges, '; ' order by acl.grantee) as text
    from (
      select l.key, case x.grantee when 0 then 'public' else pg_get_userbyid(x.grantee)::text end as grantee,
             string_agg(lower(x.privilege_type) || case when x.is_grantable then ' with grant option' else '' end, ', '
                        order by x.privilege_type) as privileges
      from (
        select array['r', oid::text] as key, relacl as acl, relowner as owner from rel where relacl is not null
        union all
        select array['a', attrelid::text, attnum::text], attacl, r.relowner
        from pg_attribute join rel r on r.oid = attrelid where attacl is not null
        union all
        select array['f', p.oid::text], coalesce(p.proacl, acldefault('f', p.proowner)), p.proowner
        from pg_proc p join space s on s.oid = p.pronamespace
        union all
        select array['t', t.oid::text], t.typacl, t.typowner
        from pg_type t join space s on s.oid = t.typnamespace where t.typacl is not null
        union all
        select array['n', s.oid::text], s.acl, s.owner from space s where s.acl is not null
      ) l
      cross join lateral aclexplode(l.acl) x
      where x.grantee <> l.owner
      group by l.key, x.grantee
    ) acl
    group by acl.key
  )

select 'schema' as kind, '' as parent, s.name, jsonb_build_object(
    'grants', (select text from grants where key = array['n', s.oid::text]),
    'comment', obj_description(s.oid, 'pg_namespace')) as attrs
from space s
where s.name <> 'public' -- the server's own; its rights differ by the version that made the cluster

union all
select 'extension', '', quote_ident(e.extname), jsonb_build_object(
    'version', e.extversion, 'schema', n.nspname)
from pg_extension e join pg_namespace n on n.oid = e.extnamespace
where e.extname <> 'plpgsql'

union all
select case r.relkind when 'v' then 'view' when 'm' then 'materialized view' when 'f' then 'foreign table' else 'table' end,
  r.space, quote_ident(r.relname), jsonb_build_object(
    'definition', case when r.relkind in ('v', 'm') then btrim(regexp_replace(pg_get_viewdef(r.oid, true), '\s+', ' ', 'g')) end,
    'persistence', case r.relpersistence when 'u' then 'unlogged' end,
    'options', array_to_string(r.reloptions, ', '),
    'access method', case when r.relkind in ('r', 'm') then (select nullif(am.amname, 'heap') from pg_am am where am.oid = r.relam) end,
    'partitioned by', case when r.relkind = 'p' then pg_get_partkeydef(r.oid) end,
    'partition', case when r.relispartition then pg_get_expr(r.relpartbound, r.oid) end,
    'inherits', (select string_agg(i.inhparent::regclass::text, ', ' order by i.inhseqno) from pg_inherits i where i.inhrelid = r.oid),
    'row security', case when r.relforcerowsecurity then 'forced' when r.relrowsecurity then 'enabled' end,
    'replica identity', case when r.relkind in ('r', 'p') then case r.relreplident when 'n' then 'nothing' when 'f' then 'full' when 'i' then 'index' end end,
    'of type', case when r.reloftype <> 0 then format_type(r.reloftype, null) end,
    'owner', case when r.relowner = any (r.owners) then null else pg_get_userbyid(r.relowner) end,
    'grants', (select text from grants where key = array['r', r.oid::text]),
    'comment', obj_description(r.oid, 'pg_class'))
from rel r
where r.relkind in ('r', 'p', 'v', 'm', 'f')

union all
select 'column', r.name, quote_ident(a.attname), jsonb_build_object(
    'position', a.attnum::text,
    'type', format_type(a.atttypid, a.atttypmod),
    'not null', case when a.attnotnull then 'true' end,
    'default', case when a.attgenerated = '' then pg_get_expr(d.adbin, d.adrelid) end,
    'generated', case when a.attgenerated <> '' then pg_get_expr(d.adbin, d.adrelid) end,
    'identity', case a.attidentity when 'a' then 'always' when 'd' then 'by default' end,
    'collation', case when a.attcollation <> t.typcollation then a.attcollation::regcollation::text end,
    'storage', case when a.attstorage <> t.typstorage
                    then case a.attstorage when 'p' then 'plain' when 'e' then 'external' when 'm' then 'main' else 'extended' end end,
    'compression', case a.attcompression when 'p' then 'pglz' when 'l' then 'lz4' end,
    'statistics', case when a.attstattarget >= 0 then a.attstattarget::text end,
    'options', array_to_string(a.attoptions, ', '),
    'grants', (select text from grants where key = array['a', r.oid::text, a.attnum::text]),
    'comment', col_description(r.oid, a.attnum))
from rel r
join pg_attribute a on a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped
join pg_type t on t.oid = a.atttypid
left join pg_attrdef d on d.adrelid = r.oid and d.adnum = a.attnum
where r.relkind in ('r', 'p', 'v', 'm', 'f', 'c')

union all
select 'constraint', coalesce(r.name, quote_ident(tn.nspname) || '.' || quote_ident(t.typname)), quote_ident(c.conname), jsonb_build_object(
    'definition', regexp_replace(pg_get_constraintdef(c.oid), ' NOT VALID$', ''),
    'not valid', case when not c.convalidated then 'true' end,
    'inherited', case when c.coninhcount > 0 then 'true' end,
    'comment', obj_description(c.oid, 'pg_constraint'))
from pg_constraint c
left join rel r on r.oid = c.conrelid
left join pg_type t on t.oid = c.contypid
left join pg_namespace tn on tn.oid = t.typnamespace
where (r.oid is not null or t.typnamespace in (select oid from space))
  and c.contype in ('c', 'f', 'p', 'u', 'x')
  and not exists (select from member m where m.classid = 'pg_type'::regclass and m.objid = c.contypid)

union all
-- The index of a constraint is told by the constraint.
select 'index', r.name, quote_ident(x.relname), jsonb_build_object(
    'definition', regexp_replace(pg_get_indexdef(i.indexrelid), '^.*? USING ', ''),
    'unique', case when i.indisunique then 'true' end,
    'invalid', case when not i.indisvalid then 'true' end,
    'comment', obj_description(i.indexrelid, 'pg_class'))
from pg_index i
join rel r on r.oid = i.indrelid
join pg_class x on x.oid = i.indexrelid
where not exists (select from pg_constraint c where c.conindid = i.indexrelid and c.conrelid = i.indrelid and c.contype in ('p', 'u', 'x'))

union all
-- Without its own name and its table's: cut by position, since a condition may hold any word.
select 'trigger', r.name, quote_ident(t.tgname), jsonb_build_object(
    'definition', left(def, at - 1) || substr(def, at + length(' ON ' || r.name)),
    'constraint', case when t.tgconstraint <> 0 then 'true' end,
    'enabled', case t.tgenabled when 'D' then 'disabled' when 'R' then 'replica' when 'A' then 'always' end,
    'comment', obj_description(t.oid, 'pg_trigger'))
from pg_trigger t
join rel r on r.oid = t.tgrelid
cross join lateral (select pg_get_triggerdef(t.oid, false) as full_def) f
cross join lateral (select substr(full_def, strpos(full_def, ' TRIGGER ') + length(' TRIGGER ' || quote_ident(t.tgname) || ' ')) as def) d
cross join lateral (select strpos(def, ' ON ' || r.name || ' ') as at) p
where not t.tgisinternal and t.tgparentid = 0

union all
select 'policy', r.name, quote_ident(p.polname), jsonb_build_object(
    'command', case p.polcmd when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update' when 'd' then 'delete' else 'all' end,
    'restrictive', case when not p.polpermissive then 'true' end,
    'roles', (select string_agg(case role when 0 then 'public' else pg_get_userbyid(role)::text end, ', ' order by 1) from unnest(p.polroles) role),
    'using', pg_get_expr(p.polqual, p.polrelid),
    'check', pg_get_expr(p.polwithcheck, p.polrelid),
    'comment', obj_description(p.oid, 'pg_policy'))
from pg_policy p join rel r on r.oid = p.polrelid

union all
select 'rule', r.name, quote_ident(w.rulename), jsonb_build_object(
    'definition', regexp_replace(pg_get_ruledef(w.oid), '\s+', ' ', 'g'),
    'enabled', case w.ev_enabled when 'D' then 'disabled' when 'R' then 'replica' when 'A' then 'always' end)
from pg_rewrite w join rel r on r.oid = w.ev_class
where w.rulename <> '_RETURN'

union all
select 'statistics', s.name, quote_ident(x.stxname), jsonb_build_object(
    'definition', regexp_replace(pg_get_statisticsobjdef(x.oid), '^CREATE STATISTICS \S+ ', ''))
from pg_statistic_ext x join space s on s.oid = x.stxnamespace

union all
select 'sequence', r.space, quote_ident(r.relname), jsonb_build_object(
    'type', format_type(q.seqtypid, null), 'start', q.seqstart::text, 'increment', q.seqincrement::text,
    'minimum', q.seqmin::text, 'maximum', q.seqmax::text, 'cache', nullif(q.seqcache, 1)::text,
    'cycle', case when q.seqcycle then 'true' end,
    'owned by', (select d.refobjid::regclass::text || '.' || quote_ident(a.attname)
                 from pg_depend d join pg_attribute a on a.attrelid = d.refobjid and a.attnum = d.refobjsubid
                 where d.classid = 'pg_class'::regclass and d.objid = r.oid and d.deptype in ('a', 'i')
                   and d.refclassid = 'pg_class'::regclass and d.refobjsubid > 0),
    'persistence', case r.relpersistence when 'u' then 'unlogged' end,
    'owner', case when r.relowner = any (r.owners) then null else pg_get_userbyid(r.relowner) end,
    'grants', (select text from grants where key = array['r', r.oid::text]),
    'comment', obj_description(r.oid, 'pg_class'))
from rel r join pg_sequence q on q.seqrelid = r.oid

union all
select case p.prokind when 'p' then 'procedure' when 'a' then 'aggregate' else 'function' end,
  s.name, quote_ident(p.proname) || '(' || pg_get_function_identity_arguments(p.oid) || ')', jsonb_build_object(
    'arguments', nullif(pg_get_function_arguments(p.oid), ''),
    'returns', pg_get_function_result(p.oid),
    'language', l.lanname,
    'body', case when p.prokind <> 'a' then btrim(regexp_replace(coalesce(pg_get_function_sqlbody(p.oid), p.prosrc), '\s+', ' ', 'g')) end,
    'library', p.probin,
    'aggregate', case when p.prokind = 'a' then (
        select concat_ws(' ', g.aggtransfn::regproc, g.aggtranstype::regtype, nullif(g.aggfinalfn, 0)::regproc, g.agginitval, nullif(g.aggcombinefn, 0)::regproc)
        from pg_aggregate g where g.aggfnoid = p.oid) end,
    'window', case when p.prokind = 'w' then 'true' end,
    'volatility', case p.provolatile when 'i' then 'immutable' when 's' then 'stable' else 'volatile' end,
    'strict', case when p.proisstrict then 'true' end,
    'security', case when p.prosecdef then 'definer' end,
    'leakproof', case when p.proleakproof then 'true' end,
    'parallel', case p.proparallel when 's' then 'safe' when 'r' then 'restricted' end,
    'settings', array_to_string(p.proconfig, ', '),
    'cost', case when p.procost <> case when l.lanname in ('c', 'internal') then 1 else 100 end then p.procost::text end,
    'rows', case when p.prorows not in (0, 1000) then p.prorows::text end,
    'owner', case when p.proowner = any (s.owners) then null else pg_get_userbyid(p.proowner) end,
    'grants', (select text from grants where key = array['f', p.oid::text]),
    'comment', obj_description(p.oid, 'pg_proc'))
from pg_proc p
join space s on s.oid = p.pronamespace
join pg_language l on l.oid = p.prolang
where not exists (select from member m where m.classid = 'pg_proc'::regclass and m.objid = p.oid)
  -- a range type's own, which belong to the server
  and not exists (select from pg_depend i where i.classid = 'pg_proc'::regclass and i.objid = p.oid and i.deptype = 'i')

union all
select case t.typtype when 'e' then 'enum' when 'd' then 'domain' when 'r' then 'range' else 'composite type' end,
  s.name, quote_ident(t.typname), jsonb_build_object(
    'values', (select string_agg(quote_literal(e.enumlabel), ', ' order by e.enumsortorder) from pg_enum e where e.enumtypid = t.oid),
    'type', case when t.typtype = 'd' then format_type(t.typbasetype, t.typtypmod) end,
    'not null', case when t.typtype = 'd' and t.typnotnull then 'true' end,
    'default', case when t.typtype = 'd' then t.typdefault end,
    'collation', case when t.typtype = 'd' and t.typcollation <> b.typcollation then t.typcollation::regcollation::text end,
    'subtype', (select format_type(g.rngsubtype, null) from pg_range g where g.rngtypid = t.oid),
    'owner', case when t.typowner = any (s.owners) then null else pg_get_userbyid(t.typowner) end,
    'grants', (select text from grants where key = array['t', t.oid::text]),
    'comment', obj_description(t.oid, 'pg_type'))
from pg_type t
join space s on s.oid = t.typnamespace
left join pg_type b on b.oid = t.typbasetype
left join pg_class c on c.oid = t.typrelid
where (t.typtype in ('e', 'd', 'r') or t.typtype = 'c' and c.relkind = 'c')
  and not exists (select from member m where m.classid = 'pg_type'::regclass and m.objid = t.oid)
