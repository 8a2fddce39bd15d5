package schema

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// CheckState is how a check ended.
type CheckState string

// The states of a check. Warning is also what a check that could not be told ends with; Skipped is one that could not be
// done because an earlier one failed.
const (
	CheckOK      CheckState = "ok"
	CheckWarning CheckState = "warning"
	CheckFailed  CheckState = "failed"
	CheckSkipped CheckState = "skipped"
)

// Check is what a diagnosis says of one thing.
type Check struct {
	Name  string
	State CheckState
	// Evidence is what was seen, without secrets and personal data; of a skipped check why it was skipped.
	Evidence string
	// Remedy is a command or setting to type; empty where there is nothing to do.
	Remedy string
}

// Diagnosis says what Diagnose looks at.
type Diagnosis struct {
	// Config is the engine's; its URL is where the service works, perhaps through a pooler.
	Config
	// DirectURL is the server itself, where migrations go; empty means URL.
	DirectURL string
	// ReadURL names a replica that is read from; empty means none.
	ReadURL string
	// Connections is how many one service may open; 0 means that nobody says.
	Connections int

	// LongTransaction is from when on an open transaction is worth a warning.
	LongTransaction time.Duration
	// ReplicaLag is by how much a replica may be late.
	ReplicaLag time.Duration
	// ClockSkew is by how much the server's clock may differ.
	ClockSkew time.Duration
	// Now is the clock here.
	Now func() time.Time
}

// Bounds of a diagnosis, which is to end in less than two seconds whatever the network and the server do.
const (
	diagnosisTimeout = 1700 * time.Millisecond
	loginTimeout     = 1200 * time.Millisecond // on all hosts together
	checkTimeout     = 500 * time.Millisecond  // of one question to the server
)

// checkNames are the checks of a diagnosis in the order in which they are told.
var checkNames = []string{
	"database_url", "reachability", "login", "tls", "version", "writable", "pooler", "owner", "rights", "extensions", "encoding", "time_zone", "environment",
	"schema_version", "pending", "drift", "hold", "indexes", "migration_lock", "transactions", "blockers", "replication", "connections", "clock",
}

// Diagnose looks at a database from all sides and changes nothing. It returns every check, those that could not be done as
// skipped: all, where a connection string is missing or malformed. The error is a *ConnectError when there was no login; any
// other is what Open says of the migrations, and comes without checks.
func Diagnose(ctx context.Context, d Diagnosis) ([]Check, error) {
	ctx, cancel := context.WithTimeout(ctx, diagnosisTimeout)
	defer cancel()
	d.LongTransaction = cmp.Or(d.LongTransaction, 5*time.Minute)
	d.ReplicaLag = cmp.Or(d.ReplicaLag, 10*time.Second)
	d.ClockSkew = cmp.Or(d.ClockSkew, 2*time.Second)
	if d.Now == nil {
		d.Now = time.Now
	}
	x := &examination{Diagnosis: d, setting: "DATABASE_URL", found: map[string]Check{}}
	if !x.readable() {
		x.reason = "there is no connection string to go by"
		return x.checks(), nil
	}
	serving, err := Open(d.Config)
	if err != nil {
		return nil, err
	}
	x.engine = serving
	if d.DirectURL != "" {
		d.URL = d.DirectURL
		if x.engine, err = Open(d.Config); err != nil {
			return nil, err
		}
		x.setting = "DATABASE_DIRECT_URL"
	}
	// The driver tries the hosts one after the other: none may use up the time of all.
	for _, e := range []*Engine{serving, x.engine} {
		e.connect.ConnectTimeout = loginTimeout / time.Duration(1+len(e.connect.Fallbacks))
	}

	var group sync.WaitGroup
	group.Go(func() { x.reach(ctx) })
	group.Go(func() { x.session(ctx, serving) })
	group.Go(func() { x.schema(ctx) })
	group.Go(func() { x.replication(ctx) })
	group.Wait()
	return x.checks(), x.refused
}

// examination is a diagnosis under way.
type examination struct {
	Diagnosis
	// engine works where migrations go, which setting says.
	engine  *Engine
	setting string

	mu      sync.Mutex
	found   map[string]Check
	reason  string // why what was not found is skipped
	refused error  // why there was no login
}

func (x *examination) put(name string, state CheckState, evidence, remedy string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.found[name] = Check{Name: name, State: state, Evidence: evidence, Remedy: remedy}
}

// readable reports whether the connection strings can be read, and puts what is wrong with them.
func (x *examination) readable() bool {
	for _, s := range []struct{ name, value string }{{"DATABASE_URL", x.URL}, {"DATABASE_DIRECT_URL", x.DirectURL}, {"DATABASE_READ_URL", x.ReadURL}} {
		remedy := s.name + "=postgres://user:password@host:5432/database"
		if s.value == "" && s.name == "DATABASE_URL" {
			x.put("database_url", CheckFailed, "DATABASE_URL is not set", remedy+", or portaldb dev, which brings its own")
			return false
		}
		config, err := parseURL(s.value)
		if err != nil { // whose text may repeat the password
			x.put("database_url", CheckFailed, s.name+" is neither a libpq URL nor keywords", remedy)
			return false
		}
		if s.name == "DATABASE_URL" {
			x.put("database_url", CheckOK, Target(config), "")
		}
	}
	return true
}

// checks returns every check; those that nothing was found for are skipped.
func (x *examination) checks() []Check {
	reason := cmp.Or(x.reason, "the connection was lost before")
	if x.refused != nil {
		reason = "no login"
	}
	if x.found["reachability"].State == CheckFailed && x.refused != nil {
		x.put("login", CheckSkipped, "no host can be reached", "")
	}
	list := make([]Check, len(checkNames))
	for i, name := range checkNames {
		check, ok := x.found[name]
		if !ok {
			check = Check{Name: name, State: CheckSkipped, Evidence: reason}
		}
		list[i] = check
	}
	return list
}

// reach connects to every host, without a login.
func (x *examination) reach(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, loginTimeout)
	defer cancel()
	type host struct {
		name string
		port uint16
	}
	config := x.engine.connect
	hosts := []host{{config.Host, config.Port}}
	for _, f := range config.Fallbacks {
		if h := (host{f.Host, f.Port}); !slices.Contains(hosts, h) {
			hosts = append(hosts, h)
		}
	}
	answers := make([]string, len(hosts))
	failed := make([]bool, len(hosts))
	var group sync.WaitGroup
	for i, h := range hosts {
		group.Go(func() {
			start := time.Now()
			conn, err := new(net.Dialer).DialContext(ctx, networkOf(h.name), addressOf(h.name, h.port))
			if err != nil {
				failed[i], answers[i] = true, fmt.Sprintf("%s:%d: %s", h.name, h.port, dialReason(err))
				return
			}
			_ = conn.Close() // nothing was written
			answers[i] = fmt.Sprintf("%s:%d answers in %d ms", h.name, h.port, time.Since(start).Milliseconds())
		})
	}
	group.Wait()
	state, remedy := CheckOK, ""
	if i := slices.Index(failed, true); i >= 0 {
		state, remedy = CheckWarning, fmt.Sprintf("check the host and port in %s, DNS and firewalls: pg_isready -h %s -p %d", x.setting, hosts[i].name, hosts[i].port)
		if !slices.Contains(failed, false) {
			state = CheckFailed
		}
	}
	x.put("reachability", state, strings.Join(answers, "; "), remedy)
}

func networkOf(host string) string { network, _ := pgconn.NetworkAddress(host, 0); return network }

func addressOf(host string, port uint16) string {
	_, address := pgconn.NetworkAddress(host, port)
	return address
}

// dialReason tells in a few words why no connection came about.
func dialReason(err error) string {
	var dns *net.DNSError
	var timeout interface{ Timeout() bool }
	switch {
	case errors.As(err, &dns) && dns.IsNotFound:
		return "no such host"
	case errors.As(err, &timeout) && timeout.Timeout():
		return fmt.Sprintf("no answer in %s", loginTimeout)
	}
	for inner := err; inner != nil; inner = errors.Unwrap(inner) {
		err = inner
	}
	return err.Error()
}

// connect opens a connection on which every question is one round trip, so that no pooler has to keep anything.
func (x *examination) connect(ctx context.Context, config *pgx.ConnConfig) (*pgx.Conn, error) {
	config = config.Copy()
	config.RuntimeParams["application_name"] = applicationName("doctor", x.Actor)
	config.DefaultQueryExecMode = pgx.QueryExecModeExec
	return pgx.ConnectConfig(ctx, config)
}

// ask reads one row. The server gives up on it by itself, so that a lock costs one check and not the connection.
func ask(ctx context.Context, conn *pgx.Conn, query string, args []any, into ...any) error {
	var batch pgx.Batch // in a transaction of its own
	batch.Queue(`select set_config('statement_timeout', $1, true)`, milliseconds(checkTimeout))
	batch.Queue(query, args...)
	results := conn.SendBatch(ctx, &batch)
	_, err := results.Exec()
	if err == nil {
		err = results.QueryRow().Scan(into...)
	}
	return errors.Join(err, results.Close())
}

// sessionChecks look from an ordinary session where migrations go.
var sessionChecks = []struct {
	name string
	look func(*examination, context.Context, *pgx.Conn) (state CheckState, evidence, remedy string, err error)
}{
	{"tls", (*examination).tls},
	{"version", (*examination).version},
	{"writable", (*examination).writable},
	{"pooler", (*examination).pooler},
	{"owner", (*examination).owner},
	{"rights", (*examination).rights},
	{"extensions", (*examination).extensions},
	{"encoding", (*examination).encoding},
	{"time_zone", (*examination).timeZone},
	{"clock", (*examination).clock},
	{"connections", (*examination).connections},
	{"migration_lock", (*examination).migrationLock},
	{"transactions", (*examination).transactions},
	{"blockers", (*examination).blockers},
}

// session logs in and does all that one connection is enough for.
func (x *examination) session(ctx context.Context, serving *Engine) {
	conn, err := x.connect(ctx, x.engine.connect)
	if err != nil {
		x.mu.Lock()
		x.refused = &ConnectError{Target: x.engine.Target(), Err: err}
		x.mu.Unlock()
		x.put("login", CheckFailed, x.setting+": "+loginReason(err), loginRemedy(err, x.setting, x.engine.connect))
		return
	}
	defer func() { _ = conn.Close(ctx) }()
	evidence := fmt.Sprintf("as %s to database %s", x.engine.connect.User, x.engine.connect.Database)
	state, remedy := CheckOK, ""
	if serving != x.engine {
		evidence += ", with both settings"
		if other, err := x.connect(ctx, serving.connect); err != nil {
			state, evidence, remedy = CheckFailed, "DATABASE_URL: "+loginReason(err), loginRemedy(err, "DATABASE_URL", serving.connect)
		} else {
			_ = other.Close(ctx)
		}
	}
	x.put("login", state, evidence, remedy)
	for _, c := range sessionChecks {
		state, evidence, remedy, err := c.look(x, ctx, conn)
		if err != nil {
			state, evidence, remedy = untold(err)
		}
		x.put(c.name, state, evidence, remedy)
		if conn.IsClosed() {
			return
		}
	}
}

// untold is how a check ends that got no answer.
func untold(err error) (state CheckState, evidence, remedy string) {
	reason := cause(err)
	if timedOut(err) {
		reason = fmt.Sprintf("no answer in %s", checkTimeout)
	}
	return CheckWarning, "could not be told: " + reason, ""
}

// timedOut reports whether nobody answered in time, here or on the server.
func timedOut(err error) bool { return pgconn.Timeout(err) || sqlState(err) == "57014" }

func loginReason(err error) string {
	if timedOut(err) {
		return fmt.Sprintf("no answer in %s", loginTimeout)
	}
	return connectReason(err)
}

// loginRemedy says what to type for what a server answers to a login.
func loginRemedy(err error, setting string, config *pgx.ConnConfig) string {
	switch sqlState(err) {
	case "28P01", "28000":
		return "correct the user and password in " + setting + ", or the server's pg_hba.conf"
	case "3D000":
		return "create it: createdb " + config.Database + ", or correct the name in " + setting
	case "53300":
		return "raise max_connections, or end what is idle: select pid, application_name from pg_stat_activity where state = 'idle'"
	case "57P03":
		return "wait until the server is up, and run portaldb doctor again"
	default:
		return fmt.Sprintf(`see what the server says: psql "$%s" -c 'select 1'`, setting)
	}
}
