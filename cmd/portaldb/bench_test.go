package main_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"portaldb/internal/devpg"
	"portaldb/internal/pgtest"
)

// gooseVariable makes the test binary a program of ten lines that migrates with the goose library and nothing else.
const gooseVariable = "PORTALDB_BENCH_GOOSE"

// plainGoose is that program.
func plainGoose(dir, url string) {
	db, err := sql.Open("pgx", url)
	if err != nil {
		panic(err)
	}
	provider, err := goose.NewProvider(goose.DialectPostgres, db, os.DirFS(dir))
	if err != nil {
		panic(err)
	}
	if _, err := provider.Up(context.Background()); err != nil {
		panic(err)
	}
}

// cost is what a process took.
type cost struct {
	time   time.Duration
	memory int64 // the most that was resident, in KiB
}

func spend(b *testing.B, env []string, name string, args ...string) cost {
	b.Helper()
	cmd := exec.CommandContext(b.Context(), name, args...)
	cmd.Env = append(os.Environ(), env...)
	start := time.Now()
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("%s: %v\n%s", name, err, out)
	}
	took := time.Since(start)
	return cost{took, cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss}
}

func median(costs []cost) cost {
	times, memory := make([]time.Duration, 0, len(costs)), int64(0)
	for _, c := range costs {
		times, memory = append(times, c.time), max(memory, c.memory)
	}
	slices.Sort(times)
	return cost{times[len(times)/2], memory}
}

// BenchmarkUp compares up, history and locks included, with psql -f of the same statements and with the goose library
// alone: each a process of its own on a fresh database, interleaved, the median of five rounds.
func BenchmarkUp(b *testing.B) {
	server, err := devpg.Start(b.Context(), devpg.Config{Dir: filepath.Join(pgtest.Dir(b), "cluster")})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := server.Stop(); err != nil {
			b.Error(err)
		}
	})
	databases := 0
	fresh := func() string {
		databases++
		name := fmt.Sprintf("bench%d", databases)
		if err := server.EnsureDatabase(b.Context(), name); err != nil {
			b.Fatal(err)
		}
		return server.URL(name)
	}
	for b.Loop() {
		fmt.Printf("\n%-22s %10s %10s %10s %8s %8s %10s %9s\n", "migrations", "psql", "goose", "portaldb", "/psql", "/goose", "goose KiB", "KiB")
		var url string
		for _, n := range []int{1, 50, 1000} {
			dir, script := benchMigrations(b, n)
			var psql, plain, ours []cost
			for range 5 {
				psql = append(psql, spend(b, nil, "psql", "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--file="+script, fresh()))
				plain = append(plain, spend(b, []string{gooseVariable + "=" + dir, "DATABASE_URL=" + fresh()}, os.Args[0]))
				url = fresh()
				ours = append(ours, spend(b, []string{"DATABASE_URL=" + url}, binary, "up", "--dir", dir))
			}
			row(fmt.Sprint(n), median(psql), median(plain), median(ours))
			if n == 1000 {
				var noop, plainNoop []cost
				for range 5 {
					noop = append(noop, spend(b, []string{"DATABASE_URL=" + url}, binary, "up", "--dir", dir))
					plainNoop = append(plainNoop, spend(b, []string{gooseVariable + "=" + dir, "DATABASE_URL=" + url}, os.Args[0]))
				}
				row("no-op at 1000", cost{}, median(plainNoop), median(noop))
			}
		}
		url = fresh()
		spend(b, []string{"DATABASE_URL=" + url}, binary, "up")
		for _, command := range []string{"plan", "verify", "status"} {
			var costs []cost
			for range 5 {
				costs = append(costs, spend(b, []string{"DATABASE_URL=" + url}, binary, command))
			}
			row(command+", whole schema", cost{}, cost{}, median(costs))
		}
	}
}

func row(name string, psql, plain, ours cost) {
	ms := func(c cost) string {
		if c.time == 0 {
			return "-"
		}
		return fmt.Sprintf("%.0f ms", float64(c.time.Microseconds())/1000)
	}
	ratio := func(c cost) string {
		if c.time == 0 {
			return "-"
		}
		return fmt.Sprintf("%.2f", float64(ours.time)/float64(c.time))
	}
	fmt.Printf("%-22s %10s %10s %10s %8s %8s %10d %9d\n", name, ms(psql), ms(plain), ms(ours), ratio(psql), ratio(plain), plain.memory, ours.memory)
}

// benchMigrations writes n migrations of a table each, and one script with the same statements.
func benchMigrations(b *testing.B, n int) (dir, script string) {
	b.Helper()
	dir = b.TempDir()
	var all strings.Builder
	for i := 1; i <= n; i++ {
		create := fmt.Sprintf("CREATE TABLE public.t%d (id bigint PRIMARY KEY, note text NOT NULL DEFAULT '', at timestamptz NOT NULL DEFAULT now());", i)
		all.WriteString(create + "\n")
		body := fmt.Sprintf("-- +goose Up\n%s\n\n-- +goose Down\nDROP TABLE public.t%d;\n", create, i)
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%05d_create_t%d.sql", i, i)), []byte(body), 0o600); err != nil {
			b.Fatal(err)
		}
	}
	script = filepath.Join(b.TempDir(), "all.sql")
	if err := os.WriteFile(script, []byte(all.String()), 0o600); err != nil {
		b.Fatal(err)
	}
	return dir, script
}
