package schema_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"portaldb/internal/devpg"
	"portaldb/internal/pgtest"
	"portaldb/internal/schema"
	"portaldb/migrations"
)

// diagnosis is what Diagnose found, by name.
type diagnosis map[string]schema.Check

func diagnose(t testing.TB, d schema.Diagnosis) diagnosis {
	t.Helper()
	found, _ := diagnoseError(t, d)
	return found
}

func diagnoseError(t testing.TB, d schema.Diagnosis) (diagnosis, error) {
	t.Helper()
	if d.FS == nil {
		d.FS = migrations.FS
	}
	d.Actor.Name = "somebody@somewhere"
	start := time.Now()
	checks, err := schema.Diagnose(t.Context(), d)
	// Its deadline is 1.7 s; what a busy machine adds is no fault of it, a step without a deadline would hang for much longer.
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("it took %s", took)
	}
	found := diagnosis{}
	for _, c := range checks {
		if c.Evidence == "" || c.State == schema.CheckFailed && c.Remedy == "" {
			t.Errorf("evidence or remedy is missing: %+v", c)
		}
		if text := c.Evidence + c.Remedy; strings.Contains(text, "S3cret") || strings.Contains(text, "pgtdbpass") || strings.Contains(text, "somebody@") {
			t.Errorf("a secret or a person: %+v", c)
		}
		found[c.Name] = c
	}
	return found, err
}

// is reports one check's state, and what is in its evidence and remedy.
func (d diagnosis) is(name string, state schema.CheckState, evidence, remedy string) bool {
	c := d[name]
	return c.State == state && strings.Contains(c.Evidence, evidence) && strings.Contains(c.Remedy, remedy)
}

// want checks one check's state, and what is in its evidence and remedy.
func (d diagnosis) want(t testing.TB, name string, state schema.CheckState, evidence, remedy string) {
	t.Helper()
	if !d.is(name, state, evidence, remedy) {
		t.Errorf("got %+v, want %s, %q, %q", d[name], state, evidence, remedy)
	}
}

func execute(t testing.TB, url string, statements ...string) {
	t.Helper()
	db := connect(t, url)
	for _, s := range statements {
		if _, err := db.ExecContext(t.Context(), s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

// as is the URL for another login, whose password is S3cret.
func as(t testing.TB, database, user string) string {
	t.Helper()
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword(user, "S3cret")
	return u.String()
}

func hostPort(t testing.TB, database string) (host, port string) {
	t.Helper()
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	return u.Hostname(), u.Port()
}

func TestDiagnose_healthy(t *testing.T) {
	t.Parallel()
	for name, c := range diagnose(t, schema.Diagnosis{Config: schema.Config{URL: pgtest.New(t)}, Connections: 8}) {
		if c.State != schema.CheckOK {
			t.Errorf("%s: %+v", name, c)
		}
	}
	// A fresh one only waits for up.
	for name, c := range diagnose(t, schema.Diagnosis{Config: schema.Config{URL: pgtest.Empty(t)}}) {
		want := map[string]schema.CheckState{"pending": schema.CheckFailed, "drift": schema.CheckSkipped}[name]
		if want == "" {
			want = schema.CheckOK
		}
		if c.State != want {
			t.Errorf("%s: %+v", name, c)
		}
	}
}

// TestDiagnose_database changes one thing of a database and looks whether the check of it tells.
func TestDiagnose_database(t *testing.T) {
	t.Parallel()
	server := pgtest.Server(t) // roles and slots are a server's
	for i, c := range []struct {
		name     string
		check    string
		empty    bool     // begin with an empty database
		change   []string // %s is the database
		by       func(testing.TB, string) string
		d        schema.Diagnosis
		state    schema.CheckState
		evidence string
		remedy   string
	}{
		{name: "an old server", check: "version", change: []string{
			`create schema fake`,
			`create function fake.current_setting(name text) returns text language sql as $$
				select case name when 'server_version_num' then '130011' when 'server_version' then '13.11' else pg_catalog.current_setting(name) end $$`,
			`alter database %s set search_path = fake, pg_catalog, public`},
			state: schema.CheckFailed, evidence: "PostgreSQL 13.11 is not supported", remedy: "PostgreSQL 14 or later"},
		{name: "a server of the future", check: "version", change: []string{
			`create schema fake`,
			`create function fake.current_setting(name text) returns text language sql as $$
				select case name when 'server_version_num' then '990000' when 'server_version' then '99.0' else pg_catalog.current_setting(name) end $$`,
			`alter database %s set search_path = fake, pg_catalog, public`},
			state: schema.CheckWarning, evidence: "PostgreSQL 99.0; newer than 18"},
		{name: "read-only", check: "writable", change: []string{`alter database %s set default_transaction_read_only = on`},
			state: schema.CheckFailed, evidence: "read-only", remedy: "reset default_transaction_read_only"},
		{name: "the owner is another", check: "owner", change: []string{`create role "the owner"`, `alter table submissions owner to "the owner"`, `create role clerk login password 'S3cret'`},
			by:    func(t testing.TB, url string) string { return as(t, url, "clerk") },
			state: schema.CheckFailed, evidence: "of which clerk is no member", remedy: "to clerk"},
		{name: "a member of the owner", check: "owner", change: []string{`create role member login password 'S3cret'`, `do $$ begin execute format('grant %I to member', current_user); end $$`},
			by:    func(t testing.TB, url string) string { return as(t, url, "member") },
			state: schema.CheckOK, evidence: "member owns all"},
		{name: "nothing may be created in public", check: "rights", change: []string{`create role outsider login password 'S3cret'`},
			by:    func(t testing.TB, url string) string { return as(t, url, "outsider") },
			state: schema.CheckFailed, evidence: "outsider may not create in schema public", remedy: "grant create on schema public to outsider"},
		{name: "no schema may be created", check: "rights", empty: true, change: []string{`create role tenant login password 'S3cret'`, `grant create on schema public to tenant`},
			by:    func(t testing.TB, url string) string { return as(t, url, "tenant") },
			state: schema.CheckFailed, evidence: "tenant may not create schemas, and some are missing", remedy: "grant create on database"},
		{name: "no further schema may be created", check: "rights", change: []string{`create role lodger login password 'S3cret'`, `grant create on schema public to lodger`},
			by:    func(t testing.TB, url string) string { return as(t, url, "lodger") },
			state: schema.CheckWarning, evidence: "all that are needed now are there", remedy: "grant create on database"},
		{name: "a role named like a schema", check: "rights", change: []string{`create role service login superuser password 'S3cret'`},
			by:    func(t testing.TB, url string) string { return as(t, url, "service") },
			state: schema.CheckFailed, evidence: "the role service is named like a schema", remedy: "another name"},
		{name: "extensions must not be created", check: "extensions", empty: true, change: []string{`create role poor login password 'S3cret'`},
			by:    func(t testing.TB, url string) string { return as(t, url, "poor") },
			state: schema.CheckFailed, evidence: "citext, pgcrypto is missing", remedy: "create extension citext; create extension pgcrypto"},
		{name: "an offset for a time zone", check: "time_zone", change: []string{`alter database %s set timezone = '-3'`},
			state: schema.CheckWarning, evidence: "<-03>+03", remedy: "set timezone = 'UTC'"},
		{name: "another environment", check: "environment", change: []string{`create schema portaldb`, `create table portaldb.meta as select 'production' as environment`},
			state: schema.CheckFailed, evidence: `"production"`, remedy: "PORTALDB_ENVIRONMENT=production"},
		{name: "a newer database", check: "schema_version", change: []string{`insert into goose_db_version (version_id, is_applied) values (99990, true)`},
			state: schema.CheckFailed, evidence: "99990, newer", remedy: "use the portaldb that migrated it"},
		{name: "the drift of a newer database", check: "drift", change: []string{`insert into goose_db_version (version_id, is_applied) values (99990, true)`},
			state: schema.CheckSkipped, evidence: "not known here"},
		{name: "legacy scripts made it", check: "schema_version", empty: true, change: []string{`create table submissions (id text)`},
			state: schema.CheckFailed, evidence: "legacy scripts", remedy: "portaldb adopt"},
		{name: "pending on a legacy database", check: "pending", empty: true, change: []string{`create table submissions (id text)`},
			state: schema.CheckSkipped, evidence: "taken over first"},
		{name: "a file is pending", check: "pending", change: []string{`delete from goose_db_version where version_id = (select max(version_id) from goose_db_version)`},
			state: schema.CheckFailed, evidence: "1 file, from 0", remedy: "portaldb up"},
		{name: "a file in the middle is pending", check: "pending", change: []string{`delete from goose_db_version where version_id = 7`},
			state: schema.CheckFailed, evidence: "but later files are", remedy: "renumber"},
		{name: "a version table that this role must not read", check: "schema_version", change: []string{`create role blind login password 'S3cret'`},
			by:    func(t testing.TB, url string) string { return as(t, url, "blind") },
			state: schema.CheckWarning, evidence: "could not be told: permission denied"},
		{name: "drift", check: "drift", change: []string{`alter table submissions add column note text`},
			state: schema.CheckFailed, evidence: "1 difference from the version's schema: extra column public.submissions.note", remedy: "portaldb verify"},
		{name: "a missing index", check: "indexes", change: []string{`drop index automation_audits_at_id_idx`},
			state: schema.CheckFailed, evidence: "missing: public.automation_audits.automation_audits_at_id_idx", remedy: "portaldb verify"},
		{name: "an idle replication slot", check: "replication", change: []string{`select pg_create_physical_replication_slot('forgotten')`},
			state: schema.CheckWarning, evidence: "1 replication slot read by nobody", remedy: "pg_drop_replication_slot"},
		{name: "a limit of connections", check: "connections", change: []string{`create role narrow login password 'S3cret' connection limit 4`},
			by: func(t testing.TB, url string) string { return as(t, url, "narrow") }, d: schema.Diagnosis{Connections: 8},
			state: schema.CheckWarning, evidence: "of 4 used (the role's connection limit); one service may open 8", remedy: "pool_max_conns"},
		{name: "a clock that differs", check: "clock", d: schema.Diagnosis{Now: func() time.Time { return time.Now().Add(-time.Hour) }},
			state: schema.CheckWarning, evidence: "differs by 1h0m0", remedy: "set-ntp"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var url string
			switch {
			case c.by != nil || c.check == "replication":
				database := fmt.Sprintf("doctor%d", i)
				if err := server.EnsureDatabase(t.Context(), database); err != nil {
					t.Fatal(err)
				}
				url = server.URL(database)
				if !c.empty {
					if _, err := open(t, url, migrations.FS).Up(t.Context(), 0); err != nil {
						t.Fatal(err)
					}
				}
			case c.empty:
				url = pgtest.Empty(t)
			default:
				url = pgtest.New(t)
			}
			name := scan[string](t, connect(t, url), `select quote_ident(current_database())`)
			for _, s := range c.change {
				execute(t, url, strings.ReplaceAll(s, "%s", name))
			}
			if c.by != nil {
				url = c.by(t, url)
			}
			c.d.URL = url
			// A question that a busy machine does not answer within half a second is not told: ask again.
			got := diagnose(t, c.d)
			for tries := 0; tries < 10 && !got.is(c.check, c.state, c.evidence, c.remedy); tries++ {
				got = diagnose(t, c.d)
			}
			got.want(t, c.check, c.state, c.evidence, c.remedy)
		})
	}
}

func TestDiagnose_connections(t *testing.T) {
	t.Parallel()
	url := pgtest.Server(t).URL("postgres")
	execute(t, url, `create role last login password 'S3cret' connection limit 3`)
	// Three is what a diagnosis opens itself, not always all at the same time.
	waitFor(t, func() bool {
		found := diagnose(t, schema.Diagnosis{Config: schema.Config{URL: as(t, url, "last")}})
		return found["connections"].State == schema.CheckFailed &&
			strings.Contains(found["connections"].Evidence, "none is left for migrations") && strings.Contains(found["connections"].Remedy, "the role's connection limit")
	})
}

func TestDiagnose_reachability(t *testing.T) {
	t.Parallel()
	database := pgtest.New(t)
	host, port := hostPort(t, database)
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	password, _ := u.User.Password()
	keywords := fmt.Sprintf("user=%s password=%s dbname=%s sslmode=disable", u.User.Username(), password, strings.TrimPrefix(u.Path, "/"))
	for _, c := range []struct {
		name, url, evidence, login string
		state                      schema.CheckState
	}{
		{"nobody listens", "postgres://clerk:S3cret@127.0.0.1:1/portal", "127.0.0.1:1: connection refused", "no host can be reached", schema.CheckFailed},
		{"no such host", "postgres://clerk:S3cret@nowhere.invalid/portal", "nowhere.invalid:5432: ", "no host can be reached", schema.CheckFailed},
		{"no such socket", "host=/nowhere user=clerk", "/nowhere:5432: no such file or directory", "no host can be reached", schema.CheckFailed},
		{"one of two", keywords + " host=127.0.0.1," + host + " port=1," + port, "127.0.0.1:1: connection refused; 127.0.0.1:" + port + " answers in", "as " + u.User.Username(), schema.CheckWarning},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			found, err := diagnoseError(t, schema.Diagnosis{Config: schema.Config{URL: c.url}})
			remedy := "pg_isready -h"
			found.want(t, "reachability", c.state, c.evidence, remedy)
			var unreachable *schema.ConnectError
			found.want(t, "database_url", schema.CheckOK, ":", "")
			if c.state == schema.CheckWarning {
				found.want(t, "login", schema.CheckOK, c.login, "")
				if err != nil {
					t.Error(err)
				}
				return
			}
			if !errors.As(err, &unreachable) {
				t.Errorf("got error %v", err)
			}
			for name, check := range found {
				if name != "reachability" && name != "database_url" && check.State != schema.CheckSkipped {
					t.Errorf("%+v", check)
				}
			}
		})
	}
}

func TestDiagnose_login(t *testing.T) {
	t.Parallel()
	database := pgtest.New(t)
	for _, c := range []struct{ name, url, evidence, remedy string }{
		{"a wrong password", as(t, database, "pgtdbuser"), "SQLSTATE 28P01", "password in DATABASE_URL"},
		{"no such database", strings.Replace(database, "/testdb", "/nonexistent", 1), "SQLSTATE 3D000", "createdb nonexistent"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			found, err := diagnoseError(t, schema.Diagnosis{Config: schema.Config{URL: c.url}})
			found.want(t, "reachability", schema.CheckOK, "answers in", "")
			found.want(t, "login", schema.CheckFailed, c.evidence, c.remedy)
			found.want(t, "drift", schema.CheckSkipped, "no login", "")
			var refused *schema.ConnectError
			if !errors.As(err, &refused) {
				t.Errorf("got error %v", err)
			}
			// The same, where only the service's own setting is wrong.
			found = diagnose(t, schema.Diagnosis{Config: schema.Config{URL: c.url}, DirectURL: database})
			found.want(t, "login", schema.CheckFailed, c.evidence, c.remedy)
			found.want(t, "drift", schema.CheckOK, "", "")
		})
	}
	both := diagnose(t, schema.Diagnosis{Config: schema.Config{URL: database}, DirectURL: database})
	both.want(t, "login", schema.CheckOK, "with both settings", "")
}

func TestDiagnose_pooler(t *testing.T) {
	t.Parallel()
	database := pgtest.New(t)
	pooled := diagnose(t, schema.Diagnosis{Config: schema.Config{URL: newRelay(t, database, &relay{pid: 1})}})
	pooled.want(t, "pooler", schema.CheckFailed, "a pooler is in between", "DATABASE_DIRECT_URL")
	pooled.want(t, "drift", schema.CheckSkipped, "a pooler is in between", "")
	diagnose(t, schema.Diagnosis{Config: schema.Config{URL: newRelay(t, database, &relay{pid: 1})}, DirectURL: database}).
		want(t, "pooler", schema.CheckOK, "by DATABASE_DIRECT_URL", "")
	diagnose(t, schema.Diagnosis{Config: schema.Config{URL: database}, DirectURL: newRelay(t, database, &relay{pid: 1})}).
		want(t, "pooler", schema.CheckFailed, "DATABASE_DIRECT_URL goes through a pooler too", "the server itself")
}

func TestDiagnose_sessions(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	db := connect(t, url)
	execute(t, url, `create table blocked (id int)`)
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{`set local application_name = 'portaldb up joao@agency'`, `lock table blocked`, `select pg_advisory_xact_lock(x'706f7274616c6462'::bigint)`} {
		if _, err := tx.ExecContext(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	waiting := make(chan error, 1)
	go func() {
		_, err := db.ExecContext(t.Context(), `select * from blocked`)
		waiting <- err
	}()
	d := schema.Diagnosis{Config: schema.Config{URL: url}, LongTransaction: time.Millisecond}
	var found diagnosis
	waitFor(t, func() bool {
		found = diagnose(t, d)
		return found["blockers"].State != schema.CheckOK
	})
	found.want(t, "blockers", schema.CheckWarning, "1 session waiting for a lock for more than a second, in the end for pid ", "pg_terminate_backend")
	found.want(t, "transactions", schema.CheckWarning, "idle in transaction", "pg_terminate_backend")
	found.want(t, "migration_lock", schema.CheckWarning, "portaldb up ***", "pg_terminate_backend")
	for _, c := range found {
		if strings.Contains(c.Evidence, "joao") {
			t.Errorf("a person: %+v", c)
		}
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if err := <-waiting; err != nil {
		t.Fatal(err)
	}
}

func TestDiagnose_invalid_index(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	execute(t, url, `create table twice (id int)`, `insert into twice values (1), (1)`)
	if _, err := connect(t, url).ExecContext(t.Context(), `create unique index concurrently twice_id_key on twice (id)`); err == nil {
		t.Fatal("the index is valid")
	}
	diagnose(t, schema.Diagnosis{Config: schema.Config{URL: url}}).
		want(t, "indexes", schema.CheckFailed, "twice_id_key", "reindex index concurrently twice_id_key")
}

func TestDiagnose_hold(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	if _, err := open(t, url, migrations.FS).Hold(t.Context(), "an incident", nil); err != nil {
		t.Fatal(err)
	}
	diagnose(t, schema.Diagnosis{Config: schema.Config{URL: url}}).
		want(t, "hold", schema.CheckWarning, "an incident", "portaldb release-hold")
}

func TestDiagnose_encoding(t *testing.T) {
	t.Parallel()
	server := pgtest.Server(t)
	execute(t, server.URL("postgres"), `create database latin template template0 encoding 'LATIN1' locale 'C'`)
	diagnose(t, schema.Diagnosis{Config: schema.Config{URL: server.URL("latin")}}).
		want(t, "encoding", schema.CheckFailed, "LATIN1", "createdb --encoding=UTF8")
}

// TestDiagnose_in_time: whatever hangs, a diagnosis ends in time and tells what it could. diagnose checks the two seconds.
func TestDiagnose_in_time(t *testing.T) {
	t.Parallel()

	t.Run("a server that accepts and never answers", func(t *testing.T) {
		t.Parallel()
		host, port, _ := net.SplitHostPort(nobody(t))
		for _, mode := range []string{"disable", "prefer"} {
			url := fmt.Sprintf("host=%s port=%s user=clerk password=S3cret sslmode=%s", host, port, mode)
			found, err := diagnoseError(t, schema.Diagnosis{Config: schema.Config{URL: url}, DirectURL: url, ReadURL: url})
			found.want(t, "reachability", schema.CheckOK, "answers in", "")
			found.want(t, "login", schema.CheckFailed, "no answer in 1.2s", "psql")
			found.want(t, "replication", schema.CheckFailed, "no answer in 1.2s", "psql")
			var unreachable *schema.ConnectError
			if !errors.As(err, &unreachable) {
				t.Errorf("got error %v", err)
			}
		}
		// The next host has its turn.
		database := pgtest.New(t)
		u, err := url.Parse(database)
		if err != nil {
			t.Fatal(err)
		}
		u.Host = net.JoinHostPort(host, port) + "," + u.Host
		diagnose(t, schema.Diagnosis{Config: schema.Config{URL: u.String()}}).want(t, "login", schema.CheckOK, "", "")
	})

	t.Run("a server that hangs in the middle", func(t *testing.T) {
		t.Parallel()
		over := make(chan struct{})
		r := &relay{at: func(n int, _ string, m moment) bool {
			if n == 1 && m == before {
				<-over
			}
			return true
		}}
		url := newRelay(t, pgtest.New(t), r)
		t.Cleanup(func() { close(over) })
		found := diagnose(t, schema.Diagnosis{Config: schema.Config{URL: url}})
		found.want(t, "login", schema.CheckOK, "", "")
		untold := 0
		for _, c := range found {
			if strings.Contains(c.Evidence, "could not be told") || c.State == schema.CheckSkipped {
				untold++
			}
		}
		if untold == 0 {
			t.Errorf("nothing hangs: %+v", found)
		}
	})

	t.Run("a lock on a table", func(t *testing.T) {
		t.Parallel()
		url := pgtest.New(t)
		tx, err := connect(t, url).BeginTx(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tx.ExecContext(t.Context(), `lock table submissions, goose_db_version in access exclusive mode`); err != nil {
			t.Fatal(err)
		}
		found := diagnose(t, schema.Diagnosis{Config: schema.Config{URL: url}})
		found.want(t, "schema_version", schema.CheckWarning, "could not be told: no answer", "")
		found.want(t, "clock", schema.CheckOK, "", "")
		if err := tx.Rollback(); err != nil {
			t.Fatal(err)
		}
	})
}

// certificate makes one for localhost that signs itself, and returns its files, which the server's account can read.
func certificate(t testing.TB) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	dir := pgtest.Dir(t)
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for file, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: pkcs8}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

func TestDiagnose_tls(t *testing.T) {
	t.Parallel()
	cert, key := certificate(t)
	server := pgtest.Server(t)
	who, err := os.Stat(filepath.Join(server.Dir(), "data"))
	if err != nil {
		t.Fatal(err)
	}
	owner := who.Sys().(*syscall.Stat_t)
	for _, file := range []string{cert, key} {
		if err := os.Chown(file, int(owner.Uid), int(owner.Gid)); err != nil {
			t.Fatal(err)
		}
	}
	plain := server.URL("postgres")
	execute(t, plain, `alter system set ssl_cert_file = '`+cert+`'`, `alter system set ssl_key_file = '`+key+`'`, `alter system set ssl = on`, `select pg_reload_conf()`)
	secure := strings.Replace(plain, "sslmode=disable", "sslmode=require", 1)
	var found diagnosis
	waitFor(t, func() bool {
		found = diagnose(t, schema.Diagnosis{Config: schema.Config{URL: secure}})
		return found["login"].State == schema.CheckOK
	})
	found.want(t, "tls", schema.CheckWarning, "TLS 1.3; the server's certificate is not verified", "sslmode=verify-full")
	verified := strings.Replace(plain, "sslmode=disable", "sslmode=verify-full&sslrootcert="+cert, 1)
	diagnose(t, schema.Diagnosis{Config: schema.Config{URL: verified}}).want(t, "tls", schema.CheckOK, "TLS 1.3, certificate verified", "")

	// The same server seen from an address that is not this machine's loopback.
	outside := outsideAddress(t)
	if outside == "" {
		return // a machine without a network has no other machines
	}
	u, err := url.Parse(plain)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", net.JoinHostPort(outside, "0"))
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{listener: listener, server: u.Host}
	r.working.Go(r.accept)
	t.Cleanup(r.close)
	u.Host = listener.Addr().String()
	diagnose(t, schema.Diagnosis{Config: schema.Config{URL: u.String()}}).
		want(t, "tls", schema.CheckWarning, "not in use, and the server is on another machine", "sslmode=verify-full")
}

// outsideAddress is an address of this machine that is no loopback; empty when it has none.
func outsideAddress(t testing.TB) string {
	t.Helper()
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range addresses {
		if ip, ok := a.(*net.IPNet); ok && ip.IP.IsGlobalUnicast() && ip.IP.To4() != nil {
			return ip.IP.String()
		}
	}
	return ""
}

// standby starts a replica of a server, which ends with the test.
func standby(t testing.TB, primary *devpg.Server) *devpg.Server {
	t.Helper()
	// A cluster of devpg's own, whose data are then the primary's: the folder keeps its form and its lock.
	dir := pgtest.Dir(t)
	server, err := devpg.Start(t.Context(), devpg.Config{Dir: dir, Ephemeral: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Stop(); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(dir, "data"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(dir, "data")); err != nil {
		t.Fatal(err)
	}
	password, err := os.ReadFile(filepath.Join(primary.Dir(), "password"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "password"), password, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "data"), 0o700); err != nil {
		t.Fatal(err)
	}
	who := info.Sys().(*syscall.Stat_t)
	if err := os.Chown(filepath.Join(dir, "data"), int(who.Uid), int(who.Gid)); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("pg_basebackup", "--pgdata="+filepath.Join(dir, "data"), "--dbname="+primary.URL("postgres"), "--checkpoint=fast", "--write-recovery-conf", "--no-sync")
	cmd.Dir = "/"
	if os.Geteuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: who.Uid, Gid: who.Gid}}
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("pg_basebackup: %v: %s", err, out)
	}
	server, err = devpg.Start(t.Context(), devpg.Config{Dir: dir, Ephemeral: true, Settings: map[string]string{"max_connections": "300"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	return server
}

func TestDiagnose_replication(t *testing.T) {
	t.Parallel()
	primary := pgtest.Server(t)
	url := primary.URL("postgres")
	d := schema.Diagnosis{Config: schema.Config{URL: url}, ReadURL: url, ReplicaLag: time.Millisecond}
	diagnose(t, d).want(t, "replication", schema.CheckWarning, "names a primary", "unset it")

	replica := standby(t, primary)
	d.ReadURL = replica.URL("postgres")
	waitFor(t, func() bool { return diagnose(t, d)["replication"].State == schema.CheckOK })
	diagnose(t, schema.Diagnosis{Config: schema.Config{URL: url}}).want(t, "replication", schema.CheckOK, "1 standby, at most", "")

	execute(t, d.ReadURL, `select pg_wal_replay_pause()`)
	execute(t, url, `create table late ()`)
	diagnose(t, d).want(t, "replication", schema.CheckWarning, "replay on the replica is paused", "pg_wal_replay_resume")
	execute(t, d.ReadURL, `select pg_wal_replay_resume()`)

	// Who holds up the replay makes it late.
	tx, err := connect(t, d.ReadURL).BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	waitFor(t, func() bool {
		return scan[bool](t, connect(t, d.ReadURL), `select to_regclass('late') is not null`)
	})
	if _, err := tx.ExecContext(t.Context(), `select * from late`); err != nil {
		t.Fatal(err)
	}
	execute(t, url, `drop table late`)
	waitFor(t, func() bool {
		return strings.Contains(diagnose(t, d)["replication"].Evidence, "behind") && diagnose(t, d)["replication"].State == schema.CheckWarning
	})
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}

	diagnose(t, schema.Diagnosis{Config: schema.Config{URL: d.ReadURL}}).
		want(t, "writable", schema.CheckFailed, "a standby", "target_session_attrs=read-write")

	if err := primary.Stop(); err != nil {
		t.Fatal(err)
	}
	waitFor(t, func() bool {
		d.URL = d.ReadURL
		return strings.Contains(diagnose(t, d)["replication"].Evidence, "receives nothing")
	})
}

func TestDiagnose_pool_settings(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t) + "&pool_max_conns=7"
	diagnose(t, schema.Diagnosis{Config: schema.Config{URL: url}}).want(t, "login", schema.CheckOK, "", "")
	if _, err := open(t, url, migrations.FS).Status(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestDiagnose_database_url(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		d        schema.Diagnosis
		evidence string
	}{
		{schema.Diagnosis{}, "DATABASE_URL is not set"},
		{schema.Diagnosis{Config: schema.Config{URL: "postgres://clerk:S3cret@host:port/portal"}}, "DATABASE_URL is neither"},
		{schema.Diagnosis{Config: schema.Config{URL: "host=h"}, DirectURL: "S3cret"}, "DATABASE_DIRECT_URL is neither"},
		{schema.Diagnosis{Config: schema.Config{URL: "host=h"}, ReadURL: "S3cret"}, "DATABASE_READ_URL is neither"},
	} {
		found := diagnose(t, c.d)
		found.want(t, "database_url", schema.CheckFailed, c.evidence, "=postgres://user:password@host:5432/database")
		for name, check := range found {
			if name != "database_url" && check.State != schema.CheckSkipped {
				t.Errorf("%+v", check)
			}
		}
	}
}

func TestDiagnose_accepted_drift(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	execute(t, url, `alter table submissions add column note text`)
	engine := open(t, url, migrations.FS)
	accepted := verify(t, engine).Differences
	for i := range accepted {
		accepted[i].Reason = "a report needs it"
	}
	verify(t, engine, accepted...)
	diagnose(t, schema.Diagnosis{Config: schema.Config{URL: url}}).want(t, "drift", schema.CheckOK, "none", "")
}
