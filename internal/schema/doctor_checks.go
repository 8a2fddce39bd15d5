package schema

import (
	"cmp"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"portaldb/internal/catalog"
)

func (x *examination) tls(_ context.Context, conn *pgx.Conn) (CheckState, string, string, error) {
	if secure, ok := conn.PgConn().Conn().(*tls.Conn); ok {
		protocol := tls.VersionName(secure.ConnectionState().Version)
		if config := conn.Config().TLSConfig; config != nil && config.InsecureSkipVerify && config.VerifyPeerCertificate == nil && config.VerifyConnection == nil {
			return CheckWarning, protocol + "; the server's certificate is not verified", "add sslmode=verify-full&sslrootcert=FILE to " + x.setting, nil
		}
		return CheckOK, protocol + ", certificate verified", "", nil
	}
	remote, isTCP := conn.PgConn().Conn().RemoteAddr().(*net.TCPAddr)
	if !isTCP || remote.IP.IsLoopback() {
		return CheckOK, "not in use; the server is on this machine", "", nil
	}
	return CheckWarning, "not in use, and the server is on another machine", "add sslmode=verify-full to " + x.setting + "; the server needs ssl = on", nil
}

// The major versions of PostgreSQL that portaldb is made for.
const (
	oldestPostgres = 14
	newestPostgres = 18
)

func (x *examination) version(ctx context.Context, conn *pgx.Conn) (state CheckState, evidence, remedy string, err error) {
	var major int
	err = ask(ctx, conn, `select current_setting('server_version'), current_setting('server_version_num')::int / 10000`, nil, &evidence, &major)
	switch {
	case major < oldestPostgres:
		return CheckFailed, "PostgreSQL " + evidence + " is not supported", fmt.Sprintf("upgrade to PostgreSQL %d or later", oldestPostgres), err
	case major > newestPostgres:
		return CheckWarning, fmt.Sprintf("PostgreSQL %s; newer than %d, the last that was tried", evidence, newestPostgres), "use a newer portaldb", err
	}
	return CheckOK, "PostgreSQL " + evidence + "; whether a later minor release is pending is not known here", "", err
}

func (x *examination) writable(ctx context.Context, conn *pgx.Conn) (CheckState, string, string, error) {
	var standby, readOnly bool
	err := ask(ctx, conn, `select pg_is_in_recovery(), current_setting('default_transaction_read_only')::boolean`, nil, &standby, &readOnly)
	switch {
	case standby:
		return CheckFailed, "this server is a standby: it takes no changes", "name the primary, or add target_session_attrs=read-write to " + x.setting, err
	case readOnly:
		return CheckFailed, "sessions are read-only: default_transaction_read_only is on",
			fmt.Sprintf("alter role %[1]s reset default_transaction_read_only; the same for the database and the server's configuration", quoted(x.engine.connect.User)), err
	}
	return CheckOK, "a primary that takes changes", "", err
}

func quoted(name string) string { return pgx.Identifier{name}.Sanitize() }

func (x *examination) pooler(ctx context.Context, conn *pgx.Conn) (CheckState, string, string, error) {
	var pid uint32
	err := ask(ctx, conn, `select pg_backend_pid()`, nil, &pid)
	switch {
	case pid != conn.PgConn().PID() && x.DirectURL != "":
		return CheckFailed, "DATABASE_DIRECT_URL goes through a pooler too: migrations are refused", "set DATABASE_DIRECT_URL to the host and port of the server itself", err
	case pid != conn.PgConn().PID():
		return CheckFailed, "a pooler is in between: migrations are refused, a lock would protect nothing", "set DATABASE_DIRECT_URL to the server itself", err
	case x.DirectURL != "":
		return CheckOK, "migrations go straight to the server, by DATABASE_DIRECT_URL", "", err
	}
	return CheckOK, "none in between", "", err
}

// tables are the tables that the migrations make, qualified.
func (x *examination) tables() []string { return x.expected("table") }

// expected lists the objects of a kind that the migrations end with.
func (x *examination) expected(kind string) []string {
	want, err := catalog.Fold(x.engine.effects...)
	if err != nil {
		return nil // effects out of step: nothing is known
	}
	var names []string
	for _, o := range want.Objects() {
		if o.Kind == kind {
			names = append(names, o.Key().QualifiedName())
		}
	}
	return names
}

func (x *examination) owner(ctx context.Context, conn *pgx.Conn) (CheckState, string, string, error) {
	var role, owners string
	var there, foreign int
	err := ask(ctx, conn, `
		select quote_ident(current_user), count(*), count(*) filter (where not mine), coalesce(string_agg(distinct owner, ', ') filter (where not mine), '')
		from (
			select quote_ident(pg_get_userbyid(relowner)) as owner, pg_has_role(current_user, relowner, 'usage') as mine
			from pg_class c join pg_namespace n on n.oid = c.relnamespace where format('%I.%I', nspname, relname) = any ($1)
		) tables`, []any{x.tables()}, &role, &there, &foreign, &owners)
	switch {
	case foreign > 0:
		return CheckFailed, fmt.Sprintf("%d of %d tables belong to %s, of which %s is no member", foreign, there, owners, role),
			fmt.Sprintf("grant %s to %s", owners, role), err
	case there == 0:
		return CheckOK, "there are no tables yet; " + role + " will own them", "", err
	}
	return CheckOK, fmt.Sprintf("%s owns all %d tables, or is a member of their owner", role, there), "", err
}

func (x *examination) rights(ctx context.Context, conn *pgx.Conn) (CheckState, string, string, error) {
	var role, database string
	var inPublic, schemas, databases, lacking, swallows bool
	err := ask(ctx, conn, `
		select quote_ident(current_user), quote_ident(current_database()),
		       has_schema_privilege('public', 'create'), has_database_privilege(current_database(), 'create'),
		       rolcreatedb or rolsuper, to_regnamespace('portaldb') is null or to_regnamespace('service') is null,
		       current_user in ('portaldb', 'service', 'portaldb_trash')
		from pg_roles where rolname = current_user`, nil, &role, &database, &inPublic, &schemas, &databases, &lacking, &swallows)
	scratch := "databases too"
	if !databases {
		scratch = "no databases: verify compares with the effect files alone"
	}
	switch {
	case err != nil:
		return "", "", "", err
	case swallows:
		return CheckFailed, "the role " + role + " is named like a schema: migrations are refused", "log in as a role of another name", nil
	case !inPublic:
		return CheckFailed, role + " may not create in schema public", "grant create on schema public to " + role, nil
	case !schemas && lacking:
		return CheckFailed, role + " may not create schemas, and some are missing", fmt.Sprintf("grant create on database %s to %s", database, role), nil
	case !schemas:
		return CheckWarning, role + " may not create schemas; all that are needed now are there", fmt.Sprintf("grant create on database %s to %s", database, role), nil
	}
	return CheckOK, role + " may create tables and schemas; " + scratch, "", nil
}

func (x *examination) extensions(ctx context.Context, conn *pgx.Conn) (CheckState, string, string, error) {
	var there, absent, unavailable, forbidden []string
	err := ask(ctx, conn, `
		with wanted as (
			select w.name, x.extname is not null as there, a.name is not null as available,
			       coalesce(v.trusted, false) and has_database_privilege(current_database(), 'create') or not coalesce(v.superuser, true)
			       or (select rolsuper from pg_roles where rolname = current_user) as allowed
			from unnest($1::text[]) w (name)
			left join pg_extension x on x.extname = w.name
			left join pg_available_extensions a on a.name = w.name
			left join pg_available_extension_versions v on v.name = a.name and v.version = a.default_version
		)
		select array_remove(array_agg(case when there then name end), null),
		       array_remove(array_agg(case when not there and available and allowed then name end), null),
		       array_remove(array_agg(case when not there and not available then name end), null),
		       array_remove(array_agg(case when not there and available and not allowed then name end), null)
		from wanted`, []any{x.expected("extension")}, &there, &absent, &unavailable, &forbidden)
	list := func(names []string) string { return strings.Join(names, ", ") }
	switch {
	case len(unavailable) > 0:
		return CheckFailed, list(unavailable) + " cannot be installed: the server does not have it", "on the server: apt-get install postgresql-contrib", err
	case len(forbidden) > 0:
		return CheckFailed, list(forbidden) + " is missing, and this role may not create it", "as a superuser: create extension " + strings.Join(forbidden, "; create extension "), err
	case len(absent) > 0:
		return CheckOK, list(absent) + " is missing; this role may create it, and up does", "", err
	}
	return CheckOK, "there: " + list(there), "", err
}

func (x *examination) encoding(ctx context.Context, conn *pgx.Conn) (CheckState, string, string, error) {
	var encoding, collation string
	err := ask(ctx, conn, `select current_setting('server_encoding'), datcollate from pg_database where datname = current_database()`, nil, &encoding, &collation)
	if err == nil && encoding != "UTF8" {
		return CheckFailed, "the database is " + encoding + ": it cannot hold every name",
			"dump it, and restore it into: createdb --encoding=UTF8 --template=template0 NAME", nil
	}
	return CheckOK, encoding + ", collation " + collation, "", err
}

// fixedOffset matches a time zone that is no place: -03, <-03>+03.
var fixedOffset = regexp.MustCompile(`^<?[+-]?\d`)

func (x *examination) timeZone(ctx context.Context, conn *pgx.Conn) (CheckState, string, string, error) {
	var zone, database string
	err := ask(ctx, conn, `select current_setting('timezone'), quote_ident(current_database())`, nil, &zone, &database)
	if err == nil && fixedOffset.MatchString(zone) {
		return CheckWarning, "sessions get " + zone + ", an offset without daylight saving time", "alter database " + database + " set timezone = 'UTC'", nil
	}
	return CheckOK, zone + "; portaldb's sessions use UTC", "", err
}

func (x *examination) clock(ctx context.Context, conn *pgx.Conn) (CheckState, string, string, error) {
	var there time.Time
	asked := x.Now()
	err := ask(ctx, conn, `select clock_timestamp()`, nil, &there)
	trip := x.Now().Sub(asked)
	skew := there.Sub(asked.Add(trip / 2))
	if err == nil && skew.Abs() > x.ClockSkew+trip/2 {
		return CheckWarning, fmt.Sprintf("the server's clock differs by %s", skew.Round(time.Millisecond)), "synchronize both machines: timedatectl set-ntp true", nil
	}
	return CheckOK, fmt.Sprintf("the server's clock differs by %d ms, measured to %d ms", skew.Milliseconds(), trip.Milliseconds()/2+1), "", err
}

func (x *examination) connections(ctx context.Context, conn *pgx.Conn) (CheckState, string, string, error) {
	var most, used, free int
	var limit string
	err := ask(ctx, conn, `
		with used as (
			select sum(numbackends)::int as all, sum(numbackends) filter (where datname = current_database())::int as database,
			       (select count(*) from pg_stat_activity where usename = current_user)::int as role
			from pg_stat_database
		), limits as (
			select 'max_connections' as name, current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int as most, used.all as used from used
			union all select 'the role''s connection limit', rolconnlimit, used.role from used, pg_roles where rolname = current_user and rolconnlimit >= 0
			union all select 'the database''s connection limit', datconnlimit, used.database from used, pg_database where datname = current_database() and datconnlimit >= 0
		)
		select name, most, used, most - used from limits order by most - used limit 1`, nil, &limit, &most, &used, &free)
	evidence := fmt.Sprintf("%d of %d used (%s); one service may open %d", used, most, limit, x.Connections)
	switch {
	case err != nil:
		return "", "", "", err
	case free < 2: // up takes one, and another that watches it
		return CheckFailed, evidence + "; none is left for migrations", "raise " + limit + ", or end idle sessions", nil
	case free < x.Connections:
		return CheckWarning, evidence + ": no other fits in", "raise " + limit + ", or lower pool_max_conns in DATABASE_URL", nil
	}
	return CheckOK, evidence, "", nil
}

func (x *examination) migrationLock(ctx context.Context, conn *pgx.Conn) (CheckState, string, string, error) {
	var holder string
	err := ask(ctx, conn, `
		select coalesce((
			select format('pid %s (%s), in a session since %s', a.pid, a.application_name, to_char(a.backend_start at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'))
			from pg_locks l join pg_stat_activity a using (pid)
			where l.locktype = 'advisory' and l.granted and l.database = (select oid from pg_database where datname = current_database())
			  and (l.classid::bigint << 32 | l.objid::bigint) = $1 and l.objsubid = 1 limit 1), '')`, []any{lockKey}, &holder)
	if holder != "" {
		return CheckWarning, "a run holds it: " + masked(holder), "let it end; if it is dead: select pg_terminate_backend(PID)", err
	}
	return CheckOK, "free", "", err
}

var account = regexp.MustCompile(`\S+@\S+`)

// masked takes accounts out of names of applications: they are persons.
func masked(text string) string { return account.ReplaceAllString(text, "***") }

func (x *examination) transactions(ctx context.Context, conn *pgx.Conn) (CheckState, string, string, error) {
	var count, hidden, oldest int
	var list string
	err := ask(ctx, conn, `
		with open as (
			select pid::text as id, application_name as name, coalesce(state, '') as state, clock_timestamp() - xact_start as age
			from pg_stat_activity where datname = current_database() and backend_type = 'client backend' and pid <> pg_backend_pid()
			union all
			select gid, 'prepared', 'prepared', clock_timestamp() - prepared from pg_prepared_xacts where database = current_database()
		), long as (select * from open where age > $1::bigint * interval '1 millisecond' order by age desc)
		select count(*), coalesce(max(extract(epoch from age))::int, 0),
		       coalesce((select string_agg(format('pid %s (%s, %s)', id, name, state), ', ') from (select * from long limit 3) worst), ''),
		       (select count(*) from pg_stat_activity where datname = current_database() and backend_type is null)
		from long`, []any{x.LongTransaction.Milliseconds()}, &count, &oldest, &list, &hidden)
	switch {
	case err != nil:
		return "", "", "", err
	case count > 0:
		return CheckWarning, fmt.Sprintf("%d open for more than %s, the oldest for %s: %s", count, x.LongTransaction, time.Duration(oldest)*time.Second, masked(list)),
			"end it, which undoes it: select pg_terminate_backend(PID); a prepared one: rollback prepared 'ID'", nil
	case hidden > 0:
		return CheckOK, fmt.Sprintf("none long among those that this role sees; %d sessions it does not", hidden), "grant pg_read_all_stats to " + quoted(x.engine.connect.User), nil
	}
	return CheckOK, fmt.Sprintf("none open for more than %s", x.LongTransaction), "", nil
}

func (x *examination) blockers(ctx context.Context, conn *pgx.Conn) (CheckState, string, string, error) {
	var waiting int
	var list string
	err := ask(ctx, conn, `
		with waits as (
			select l.pid as waiter, b.pid, coalesce(b.application_name, '') as application_name, coalesce(b.state, '') as state
			from pg_locks l cross join lateral unnest(pg_blocking_pids(l.pid)) p (pid) left join pg_stat_activity b on b.pid = p.pid
			where not l.granted and l.waitstart < clock_timestamp() - interval '1 second'
			  and coalesce(l.database, 0) in (0, (select oid from pg_database where datname = current_database()))
		)
		select count(distinct waiter), coalesce((select string_agg(distinct format('pid %s (%s, %s)', pid, application_name, state), ', ') from waits
			where pid not in (select waiter from waits)), '') from waits`, nil, &waiting, &list)
	if waiting > 0 {
		return CheckWarning, plural(waiting, "session") + " waiting for a lock for more than a second, in the end for " + masked(cmp.Or(list, "each other")),
			"end who is in the way, which undoes its work: select pg_terminate_backend(PID)", err
	}
	return CheckOK, "nobody has waited for a lock for more than a second", "", err
}

// schema looks where the schema stands.
func (x *examination) schema(ctx context.Context) {
	s, err := x.engine.session(ctx, "doctor")
	if err != nil {
		return // the other session says why
	}
	defer s.close()
	tell := func(name string, err error) {
		state, evidence, remedy := untold(err)
		x.put(name, state, evidence, remedy)
	}
	skip := func(reason string, names ...string) {
		for _, name := range names {
			x.put(name, CheckSkipped, reason, "")
		}
	}
	st, err := readState(ctx, s)
	if err != nil {
		tell("schema_version", err)
		skip("the schema's version is not known", "pending", "drift", "hold", "indexes", "environment")
		return
	}
	if err := x.environment(ctx, s); err != nil {
		tell("environment", err)
	}
	x.state(st)

	invalid, err := invalidIndexes(ctx, s)
	var missing []string
	compared := false
	switch want, unknown := x.engine.folded(ctx, s, st.version()); {
	case st.version() == 0:
		skip("nothing is applied", "drift")
	case unknown != nil:
		skip("the version's schema is not known here", "drift")
	case x.pooled(ctx, s):
		skip("a pooler is in between, and the comparison needs settings of its own", "drift")
	default:
		s.seam.timeouts.lock = checkTimeout
		v, err := want.compare(ctx, s, st)
		if err != nil {
			tell("drift", err)
			break
		}
		compared = true
		missing = x.drift(slices.DeleteFunc(v.Differences, func(d catalog.Difference) bool { return !d.Drift() }))
	}
	if err != nil {
		tell("indexes", err)
		return
	}
	x.indexes(invalid, missing, compared)
}

// state puts what the state of the versions tells.
func (x *examination) state(st state) {
	e := x.engine
	position := fmt.Sprintf("%d of %d", st.version(), e.Latest())
	switch newer := st.newer(e.files); {
	case st.legacy:
		x.put("schema_version", CheckFailed, "the portal's tables are there without versions: legacy scripts made them", "portaldb adopt")
	case len(newer) > 0:
		x.put("schema_version", CheckFailed, fmt.Sprintf("%d, newer than this program, whose files end at %d", st.version(), e.Latest()), "use the portaldb that migrated it")
	default:
		x.put("schema_version", CheckOK, position, "")
	}
	switch pending := st.pending(e.files); {
	case st.legacy:
		x.put("pending", CheckSkipped, "the database has to be taken over first", "")
	case len(pending) == 0:
		x.put("pending", CheckOK, "none", "")
	case pending[0].Version < st.version():
		x.put("pending", CheckFailed, pending[0].Name+" is not applied, but later files are", "renumber it to come last")
	default:
		x.put("pending", CheckFailed, plural(len(pending), "file")+", from "+pending[0].Name+" on", "portaldb up")
	}
	if st.hold != nil {
		x.put("hold", CheckWarning, "up is stopped since "+st.hold.Since.Format(time.RFC3339)+": "+masked(st.hold.Reason), "portaldb release-hold")
	} else {
		x.put("hold", CheckOK, "none", "")
	}
}

// environment compares what the database is with what it must be.
func (x *examination) environment(ctx context.Context, s *session) error {
	var exists bool
	var is string
	err := s.db.QueryRowContext(ctx, `select to_regclass('portaldb.meta') is not null`).Scan(&exists)
	if err == nil && exists {
		err = s.db.QueryRowContext(ctx, `select coalesce((select environment from portaldb.meta), '')`).Scan(&is)
	}
	switch {
	case err != nil:
		return err
	case is != x.Environment && is != "":
		x.put("environment", CheckFailed, fmt.Sprintf("the database is %q, PORTALDB_ENVIRONMENT is %q: migrations are refused", is, x.Environment), "PORTALDB_ENVIRONMENT="+is)
	default:
		x.put("environment", CheckOK, cmp.Or(is, x.Environment, "nobody says"), "")
	}
	return nil
}

// pooled reports whether a pooler is between the session and the server: what is set in it would be others' too.
func (x *examination) pooled(ctx context.Context, s *session) bool {
	var announced, is uint32
	err := s.raw(ctx, func(conn *pgx.Conn) error {
		announced = conn.PgConn().PID()
		return conn.QueryRow(ctx, `select pg_backend_pid()`).Scan(&is)
	})
	return err == nil && announced != is
}

// drift tells the first differences, and returns the indexes that are missing.
func (x *examination) drift(differences []catalog.Difference) (missing []string) {
	var first []string
	for _, d := range differences {
		if d.Class == catalog.Missing && d.Kind == "index" {
			missing = append(missing, d.Object)
		}
		if len(first) < 3 {
			first = append(first, fmt.Sprintf("%s %s %s", d.Class, d.Kind, d.Object))
		}
	}
	if n := len(differences); n > 0 {
		if n > len(first) {
			first = append(first, "...")
		}
		x.put("drift", CheckFailed, plural(n, "difference")+" from the version's schema: "+strings.Join(first, ", "), "portaldb verify")
	} else {
		x.put("drift", CheckOK, "none", "")
	}
	return missing
}

// invalidIndexes lists the invalid indexes that nobody is building now.
func invalidIndexes(ctx context.Context, s *session) (names string, err error) {
	err = s.db.QueryRowContext(ctx, `
		select coalesce(string_agg(i.indexrelid::regclass::text, ', ' order by i.indexrelid::regclass::text), '')
		from pg_index i join pg_class c on c.oid = i.indexrelid
		where not i.indisvalid and c.relkind = 'i' and not exists (select from pg_stat_progress_create_index p where p.index_relid = i.indexrelid)`).Scan(&names)
	return names, err
}

func (x *examination) indexes(invalid string, missing []string, compared bool) {
	switch {
	case invalid != "":
		first, _, _ := strings.Cut(invalid, ", ")
		x.put("indexes", CheckFailed, "invalid, kept up by writers and read by nobody: "+invalid, "portaldb up, where its migration is pending; else: reindex index concurrently "+first)
	case len(missing) > 0:
		x.put("indexes", CheckFailed, "missing: "+strings.Join(missing, ", "), "portaldb verify shows their definitions")
	case !compared:
		x.put("indexes", CheckOK, "none invalid; whether one is missing is not known", "")
	default:
		x.put("indexes", CheckOK, "none invalid, none missing", "")
	}
}

// replication looks at the replica that is read from, and else at those that the server feeds.
func (x *examination) replication(ctx context.Context) {
	config, setting := x.engine.connect, x.setting
	if x.ReadURL != "" {
		setting = "DATABASE_READ_URL"
		config, _ = parseURL(x.ReadURL) // readable has tried
		config.ConnectTimeout = loginTimeout / time.Duration(1+len(config.Fallbacks))
	}
	conn, err := x.connect(ctx, config)
	if err != nil {
		if x.ReadURL != "" {
			x.put("replication", CheckFailed, "DATABASE_READ_URL: "+loginReason(err), loginRemedy(err, setting, config))
		}
		return
	}
	defer func() { _ = conn.Close(ctx) }()
	look := x.replica
	if x.ReadURL == "" {
		look = x.standbys
	}
	state, evidence, remedy, err := look(ctx, conn)
	if err != nil {
		state, evidence, remedy = untold(err)
	}
	x.put("replication", state, evidence, remedy)
}

// replica looks from a replica.
func (x *examination) replica(ctx context.Context, conn *pgx.Conn) (CheckState, string, string, error) {
	var standby, paused, streaming bool
	var late float64
	err := ask(ctx, conn, `
		select pg_is_in_recovery(), case when pg_is_in_recovery() then pg_is_wal_replay_paused() else false end,
		       exists (select from pg_stat_wal_receiver),
		       case when pg_is_in_recovery() and pg_last_wal_receive_lsn() is distinct from pg_last_wal_replay_lsn()
		            then coalesce(extract(epoch from clock_timestamp() - pg_last_xact_replay_timestamp()), 0) else 0 end::float8`, nil, &standby, &paused, &streaming, &late)
	lag := time.Duration(late * float64(time.Second)).Round(time.Millisecond)
	switch {
	case err != nil:
		return "", "", "", err
	case !standby:
		return CheckWarning, "DATABASE_READ_URL names a primary, not a replica", "name a standby in DATABASE_READ_URL, or unset it", nil
	case paused:
		return CheckWarning, fmt.Sprintf("replay on the replica is paused, %s behind", lag), "on the replica: select pg_wal_replay_resume()", nil
	case !streaming:
		return CheckWarning, "the replica receives nothing from its primary", "see the replica's log, and primary_conninfo in its configuration", nil
	case lag > x.ReplicaLag:
		return CheckWarning, fmt.Sprintf("the replica is %s behind", lag), "see what it replays and who holds it up: select * from pg_stat_activity, on the replica", nil
	}
	return CheckOK, fmt.Sprintf("the replica streams and is %s behind", lag), "", nil
}

// standbys looks from a primary.
func (x *examination) standbys(ctx context.Context, conn *pgx.Conn) (CheckState, string, string, error) {
	var standbys, unused int
	var late float64
	err := ask(ctx, conn, `
		select count(*), coalesce(max(extract(epoch from replay_lag)), 0)::float8, (select count(*) from pg_replication_slots where not active)
		from pg_stat_replication`, nil, &standbys, &late, &unused)
	lag := time.Duration(late * float64(time.Second)).Round(time.Millisecond)
	switch {
	case err != nil:
		return "", "", "", err
	case unused > 0:
		return CheckWarning, plural(unused, "replication slot") + " read by nobody, for which the server keeps its log",
			"select slot_name from pg_replication_slots where not active; then: select pg_drop_replication_slot(NAME)", nil
	case lag > x.ReplicaLag:
		return CheckWarning, fmt.Sprintf("of %d standbys one is %s behind", standbys, lag), "select application_name, replay_lag from pg_stat_replication", nil
	case standbys == 0:
		return CheckOK, "no standby, and DATABASE_READ_URL is not set", "", nil
	}
	return CheckOK, fmt.Sprintf("%d standby, at most %s behind", standbys, lag), "", nil
}

// plural counts things.
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
