package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"portaldb/internal/catalog"
	"portaldb/internal/devpg"
	"portaldb/internal/schema"
)

// drillReport is what a drill did and how long each part took, in milliseconds.
type drillReport struct {
	CopyMS     int64             `json:"copy_ms"`
	RollbackMS int64             `json:"rollback_ms"`
	RestoreMS  int64             `json:"restore_ms"`
	Rollback   schema.Rollback   `json:"rollback"`
	Restored   []schema.Restored `json:"restored"`
	// Drift tells whether the copy's schema was not as it should be afterwards.
	Drift bool `json:"drift"`
}

// drill copies the database with pg_dump, rolls the copy back and up again, and tells how long that takes. The database
// itself is only read.
func (c rollbackCommand) drill(ctx context.Context, a *app, engine *schema.Engine, request schema.RollbackRequest) error {
	from, err := c.url()
	if err != nil {
		return err
	}
	if c.DirectURL != "" {
		from = c.DirectURL
	}
	to, program := c.DrillURL, func(name string) string { return name }
	if to == "" {
		server, err := devpg.Start(ctx, devpg.Config{Ephemeral: true})
		if err != nil {
			return fmt.Errorf("start a server for the copy: %w; nothing changed", err)
		}
		defer func() { _ = server.Stop() }() // it is thrown away
		if err := server.EnsureDatabase(ctx, "drill"); err != nil {
			return fmt.Errorf("make the copy: %w; nothing changed", err)
		}
		to, program = server.URL("drill"), server.Program
	} else if to, err = checkedURL("--drill-database-url", to); err != nil {
		return err
	}
	a.logf("copying %s with pg_dump; it is only read", engine.Target())
	start := time.Now()
	if err := copyDatabase(ctx, program, from, to); err != nil {
		return fmt.Errorf("copy the database: %w; nothing changed", err)
	}
	report := drillReport{CopyMS: time.Since(start).Milliseconds(), Restored: []schema.Restored{}}
	if err := c.drillOn(ctx, a, to, request, &report); err != nil {
		return fmt.Errorf("%w (on the copy; the database itself is as it was)", err)
	}
	if err := a.print(map[string]any{"drill": report}, drillText(report)); err != nil {
		return err
	}
	if report.Drift {
		return noError{"the copy's schema is not as it should be after the way back and forth; nothing changed in the database itself"}
	}
	return nil
}

// drillOn rolls the copy back and up again.
func (c rollbackCommand) drillOn(ctx context.Context, a *app, url string, request schema.RollbackRequest, report *drillReport) error {
	engine, err := c.engineOn(a, url)
	if err != nil {
		return err
	}
	if request.To == nil && request.Steps == 0 {
		request.Steps = 1
	}
	dry, err := engine.Rollback(ctx, request)
	if err != nil {
		return err
	}
	request.Apply = true
	if dry.Class == catalog.DataLost {
		request.AcceptLoss = dry.Digest
	}
	start := time.Now()
	if report.Rollback, err = engine.Rollback(ctx, request); err != nil {
		return err
	}
	report.RollbackMS = time.Since(start).Milliseconds()
	start = time.Now()
	// The files may end before the database does: an old binary goes back, and only a newer one forward again.
	if report.Rollback.From <= engine.Latest() && len(report.Rollback.Applied) > 0 {
		up, err := engine.UpRestoring(ctx, report.Rollback.From, "")
		if err != nil {
			return err
		}
		report.Restored = append(report.Restored, up.Restored...)
		report.RestoreMS = time.Since(start).Milliseconds()
	}
	verified, err := engine.Verify(ctx, nil)
	report.Drift = verified.Drift()
	return err
}

// copyDatabase pipes pg_dump into psql. Passwords pass in the environment: everybody sees the arguments of a process.
func copyDatabase(ctx context.Context, program func(string) string, from, to string) (err error) {
	dump := exec.CommandContext(ctx, program("pg_dump"), "--no-owner", "--no-acl", "--no-password")                                                   //nolint:gosec // of an installation
	load := exec.CommandContext(ctx, program("psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", "--single-transaction", "--no-password", "-o", os.DevNull) //nolint:gosec // the same
	if dump.Env, err = clientEnvironment(from); err != nil {
		return err
	}
	if load.Env, err = clientEnvironment(to); err != nil {
		return err
	}
	var dumpSays, loadSays bytes.Buffer
	dump.Stderr, load.Stderr = &dumpSays, &loadSays
	if load.Stdin, err = dump.StdoutPipe(); err != nil {
		return err
	}
	if err := dump.Start(); err != nil {
		return fmt.Errorf("pg_dump: %w", err)
	}
	loadErr := load.Run()
	dumpErr := dump.Wait()
	switch {
	case loadErr != nil && loadSays.Len() > 0:
		return errors.New("psql: " + strings.TrimSpace(loadSays.String()))
	case dumpErr != nil:
		return errors.New("pg_dump: " + strings.TrimSpace(dumpSays.String()))
	case loadErr != nil:
		return fmt.Errorf("psql: %w", loadErr)
	}
	return nil
}

// clientEnvironment is a connection string as the variables that PostgreSQL's own clients take.
func clientEnvironment(connection string) ([]string, error) {
	config, err := pgx.ParseConfig(connection)
	if err != nil {
		return nil, errors.New("its connection string is not one that libpq takes")
	}
	// What would send them elsewhere than said does not come along: a service or an address goes before PGHOST.
	env := slices.DeleteFunc(os.Environ(), func(v string) bool {
		name, _, _ := strings.Cut(v, "=")
		return name == "PGSERVICE" || name == "PGSERVICEFILE" || name == "PGHOSTADDR"
	})
	env = append(env, "PGHOST="+config.Host, "PGPORT="+strconv.Itoa(int(config.Port)), "PGUSER="+config.User,
		"PGDATABASE="+config.Database, "PGPASSWORD="+config.Password, "PGOPTIONS=", "PGAPPNAME=portaldb drill")
	if u, err := url.Parse(connection); err == nil {
		for _, name := range []string{"sslmode", "sslrootcert", "sslcert", "sslkey"} {
			if value := u.Query().Get(name); value != "" {
				env = append(env, "PG"+strings.ToUpper(name)+"="+value)
			}
		}
	}
	return env, nil
}

func drillText(r drillReport) string {
	var b strings.Builder
	ms := func(n int64) time.Duration { return time.Duration(n) * time.Millisecond }
	fmt.Fprintf(&b, "copied in %s\nrolled back from version %d to %d in %s: %s\n", ms(r.CopyMS), r.Rollback.From, r.Rollback.To, ms(r.RollbackMS), classes[r.Rollback.Class])
	for _, step := range r.Rollback.Applied {
		fmt.Fprintf(&b, "  %s  %d ms\n", step.Name, step.MS)
	}
	for _, t := range r.Rollback.Trash {
		if t.KeptIn != nil {
			fmt.Fprintf(&b, "  kept %s %s, %d rows, %s\n", t.Kind, t.What(), t.Rows, bytesText(t.Bytes))
		}
	}
	fmt.Fprintf(&b, "up again in %s\n", ms(r.RestoreMS))
	for _, restored := range r.Restored {
		b.WriteString("  " + restoredText(restored))
	}
	b.WriteString("the database itself was only read\n")
	return b.String()
}
