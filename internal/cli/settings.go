package cli

import (
	"cmp"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"reflect"
	"regexp"
	"time"

	"github.com/alecthomas/kong"
	"github.com/jackc/pgx/v5"

	"portaldb/internal/schema"
	"portaldb/migrations"
)

// settings answers flags that carry a `setting` tag from the environment variable of that name. Flags given on the
// command line win. A value that does not fit is named by its variable.
func settings(env map[string]string) kong.Resolver {
	return kong.ResolverFunc(func(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
		name := flag.Tag.Get("setting")
		value := env[name]
		if name == "" || value == "" {
			return nil, nil
		}
		if flag.Target.Type() == reflect.TypeFor[time.Duration]() {
			if d, err := time.ParseDuration(value); err != nil || d <= 0 {
				return nil, usageError{fmt.Sprintf("%s takes a duration above zero, such as 60s or 5m", name)}
			}
		}
		return value, nil
	})
}

// database is what every command that works on a database takes.
type database struct {
	DatabaseURL string `name:"database-url" setting:"DATABASE_URL" placeholder:"URL" help:"PostgreSQL to work on, as a libpq URL or keywords (DATABASE_URL)."`
}

// url returns the connection string, checked.
func (d database) url() (string, error) {
	if d.DatabaseURL == "" {
		return "", usageError{"DATABASE_URL não configurada para Postgres. DATABASE_URL is not set: name a PostgreSQL, or run portaldb dev, which brings its own"}
	}
	return checkedURL("DATABASE_URL", d.DatabaseURL)
}

// checkedURL refuses what the driver cannot read, without repeating it: it may hold a password.
func checkedURL(setting, url string) (string, error) {
	if _, err := pgx.ParseConfig(url); err != nil {
		return "", usageError{setting + " takes a libpq URL (postgres://user@host:port/database) or keywords (host=... dbname=...); its value is neither"}
	}
	return url, nil
}

// migrating is what every command that works on a schema takes.
type migrating struct {
	database
	DirectURL    string        `name:"database-direct-url" setting:"DATABASE_DIRECT_URL" placeholder:"URL" help:"The server itself, where DATABASE_URL is a pooler in transaction mode (DATABASE_DIRECT_URL)."`
	Environment  string        `setting:"PORTALDB_ENVIRONMENT" placeholder:"NAME" help:"What the database must be: production, staging (PORTALDB_ENVIRONMENT)."`
	Dir          string        `placeholder:"DIR" help:"A folder of migrations instead of the embedded ones."`
	LockWait     time.Duration `setting:"PORTALDB_LOCK_WAIT" default:"60s" help:"How long to wait for another run on the same database (PORTALDB_LOCK_WAIT)."`
	LockTimeout  time.Duration `setting:"PORTALDB_LOCK_TIMEOUT" default:"2s" help:"How long a statement may wait for a table's lock (PORTALDB_LOCK_TIMEOUT)."`
	RetryFor     time.Duration `setting:"PORTALDB_RETRY_FOR" default:"5m" help:"How long a file is tried again when a lock was not free (PORTALDB_RETRY_FOR)."`
	Budget       time.Duration `name:"blocking-budget" setting:"PORTALDB_BLOCKING_BUDGET" default:"3s" help:"How long others may wait for a file's locks before it gives way (PORTALDB_BLOCKING_BUDGET)."`
	IndexTimeout time.Duration `setting:"PORTALDB_INDEX_TIMEOUT" default:"30m" help:"How long CREATE INDEX CONCURRENTLY may take (PORTALDB_INDEX_TIMEOUT)."`
}

var environmentName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,62}$`)

// engine opens the schema engine on the database that migrations go to.
func (m migrating) engine(a *app) (*schema.Engine, error) {
	url, err := m.url()
	if err != nil {
		return nil, err
	}
	if m.DirectURL != "" {
		if url, err = checkedURL("DATABASE_DIRECT_URL", m.DirectURL); err != nil {
			return nil, err
		}
	}
	if m.Environment != "" && !environmentName.MatchString(m.Environment) {
		return nil, usageError{"PORTALDB_ENVIRONMENT takes a name of lower-case letters, digits, - and _"}
	}
	return m.engineOn(a, url)
}

// files are the migrations to work with.
func (m migrating) files() (fs.FS, error) {
	if m.Dir == "" {
		return migrations.FS, nil
	}
	if info, err := os.Stat(m.Dir); err != nil || !info.IsDir() {
		return nil, usageError{fmt.Sprintf("--dir takes a folder of migrations; %s is none", m.Dir)}
	}
	return os.DirFS(m.Dir), nil
}

func (m migrating) engineOn(a *app, url string) (*schema.Engine, error) {
	files, err := m.files()
	if err != nil {
		return nil, err
	}
	return schema.Open(schema.Config{
		URL: url, FS: files, Baseline: baseline(files), Environment: m.Environment, Actor: actor(a.env), Binary: version,
		LockWait: m.LockWait, LockTimeout: m.LockTimeout, RetryFor: m.RetryFor, BlockingBudget: m.Budget,
		IndexTimeout: m.IndexTimeout, Progress: a.progress,
	})
}

// actor tells who runs this, from the operating system and what GitHub or GitLab say of a job.
func actor(env map[string]string) schema.Actor {
	name, host := "unknown", "unknown"
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	if h, err := os.Hostname(); err == nil {
		host = h
	}
	who := schema.Actor{Name: name + "@" + host, Job: env["CI_JOB_URL"], Commit: cmp.Or(env["GITHUB_SHA"], env["CI_COMMIT_SHA"])}
	if run := env["GITHUB_RUN_ID"]; run != "" {
		who.Job = env["GITHUB_SERVER_URL"] + "/" + env["GITHUB_REPOSITORY"] + "/actions/runs/" + run
	}
	return who
}
