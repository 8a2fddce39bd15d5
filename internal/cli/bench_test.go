package cli_test

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"portaldb/internal/cli"
	"portaldb/internal/devpg"
	"portaldb/internal/pgtest"
)

// BenchmarkRoutes loads testdata/load.sql (PORTALDB_BENCH_SUBMISSIONS rows, by default a million, and three times as many
// audits) into a durable server and prints how fast each route answers over HTTP, at 1 and 16 connections.
func BenchmarkRoutes(b *testing.B) {
	server, err := devpg.Start(b.Context(), devpg.Config{Dir: filepath.Join(pgtest.Dir(b), "cluster"), Settings: map[string]string{
		"shared_buffers": "1GB", "max_wal_size": "4GB", "max_connections": "100",
	}})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := server.Stop(); err != nil {
			b.Error(err)
		}
	})
	if err := server.EnsureDatabase(b.Context(), "portal"); err != nil {
		b.Fatal(err)
	}
	database := server.URL("portal")
	env := []string{"DATABASE_URL=" + database}
	if up := run(b, env, "up"); up.code != 0 {
		b.Fatal(up.stderr)
	}
	load(b, database)
	created := run(b, env, "token", "create", "bench", "--role", "admin", "--json")
	if created.code != 0 {
		b.Fatal(created.stderr)
	}
	client := &api{token: created.object(b)["token"].(string), http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}}
	b.Cleanup(client.http.CloseIdleConnections)
	client.url = serve(b, env)

	ids := client.submissionIDs(b)
	deep := client.cursorAt(b, "/v1/audits?kind=fileshare&limit=1000", 50)
	next := func(format string) func(int) (string, string, string) {
		return func(i int) (string, string, string) { return "GET", fmt.Sprintf(format, ids[i%len(ids)]), "" }
	}
	get := func(path string) func(int) (string, string, string) {
		return func(int) (string, string, string) { return "GET", path, "" }
	}
	since := time.Now().AddDate(0, 0, -30).UTC().Format(time.RFC3339)
	routes := []struct {
		name    string
		request func(i int) (method, path, body string)
	}{
		{"get a submission", next("/v1/submissions/%s")},
		{"audits of a submission", next("/v1/submissions/%s/audits")},
		{"list 50 submissions", get("/v1/submissions")},
		{"list 50 by kind and actor", get("/v1/submissions?kind=dfd&actor_cpf=10000000007")},
		{"list 50 by two statuses", get("/v1/submissions?status=queued&status=error")},
		{"list 50 by kind, status, time", get("/v1/submissions?kind=etp&status=done&since=" + since)},
		{"list 50 audits by a common kind", get("/v1/audits?kind=fileshare")},
		{"list 50 audits by a rare kind", get("/v1/audits?kind=arquivo_morto")},
		{"list 50 audits by action", get("/v1/audits?action=failed")},
		{"list 50 audits by sid", next("/v1/audits?sid=%s")},
		{"list 50 audits, page 51,000 deep", get("/v1/audits?limit=50&cursor=" + url.QueryEscape(deep))},
		{"statistics of 30 days", get("/v1/stats")},
		{"create a submission", func(int) (string, string, string) {
			return "POST", "/v1/submissions", `{"kind":"dfd","version":"1.0","actor_cpf":"10000000007","payload":{"numero":"1/2026","itens":[1,2,3]}}`
		}},
		{"add an audit", func(int) (string, string, string) {
			return "POST", "/v1/audits", `{"kind":"dfd","action":"downloaded","meta":{"sid":"x"}}`
		}},
		{"change a submission's result", func(i int) (string, string, string) {
			return "PATCH", "/v1/submissions/" + ids[i%len(ids)], `{"result":{"ok":true}}`
		}},
	}
	for b.Loop() {
		var table strings.Builder
		fmt.Fprintf(&table, "%-36s %10s %10s %12s %10s %10s\n", "route", "c1 p50 ms", "c1 p99 ms", "c16 req/s", "p50 ms", "p99 ms")
		for _, route := range routes {
			one, sixteen := client.measure(b, 1, route.request), client.measure(b, 16, route.request)
			fmt.Fprintf(&table, "%-36s %10.2f %10.2f %12.0f %10.2f %10.2f\n", route.name, one.p50, one.p99, sixteen.rate, sixteen.p50, sixteen.p99)
		}
		fmt.Print("\n", table.String()) // b.Log cuts what is long
	}
}

// load fills the three central tables by psql, whose variables the script uses.
func load(b *testing.B, database string) {
	b.Helper()
	rows := cmp.Or(os.Getenv("PORTALDB_BENCH_SUBMISSIONS"), "1000000")
	start := time.Now()
	psql := exec.CommandContext(b.Context(), "psql", "--quiet", "--no-psqlrc", "--set=submissions="+rows, "--set=audits="+rows+"*3",
		"--file=testdata/load.sql", database)
	if out, err := psql.CombinedOutput(); err != nil {
		b.Fatalf("load: %v\n%s", err, out)
	}
	b.Logf("loaded %s submissions and three times as many audits in %s", rows, time.Since(start).Round(time.Second))
}

// serve runs the command until the benchmark ends and returns its URL.
func serve(tb testing.TB, env []string, args ...string) string {
	tb.Helper()
	ctx, stop := context.WithCancel(context.Background())
	lines, stderr := io.Pipe()
	var code int
	var done sync.WaitGroup
	done.Go(func() {
		code = cli.Run(ctx, append([]string{"serve", "--addr", "127.0.0.1:0"}, args...), env, strings.NewReader(""), io.Discard, stderr)
		stderr.Close()
	})
	address := make(chan string, 1)
	var log bytes.Buffer
	done.Go(func() {
		defer close(address)
		for scanner := bufio.NewScanner(io.TeeReader(lines, &log)); scanner.Scan(); {
			var entry struct{ Msg, Addr string }
			if json.Unmarshal(scanner.Bytes(), &entry) == nil && entry.Addr != "" {
				select {
				case address <- entry.Addr:
				default:
				}
			}
		}
	})
	tb.Cleanup(func() {
		stop()
		done.Wait()
		if code != 0 {
			tb.Errorf("serve ended with %d:\n%s", code, log.String())
		}
	})
	addr, ok := <-address
	if !ok {
		tb.Fatalf("serve did not start:\n%s", log.String())
	}
	return "http://" + addr
}

// api is a client of the HTTP API.
type api struct {
	url, token string
	http       *http.Client
}

// do sends one request and returns its status and body.
func (c *api) do(ctx context.Context, method, path, body string) (int, []byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.url+path, strings.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	return resp.StatusCode, data, err
}

type page struct {
	Items      []struct{ ID json.RawMessage }
	NextCursor string `json:"next_cursor"`
}

func (c *api) page(tb testing.TB, path string) page {
	tb.Helper()
	status, body, err := c.do(tb.Context(), http.MethodGet, path, "")
	if err != nil || status != http.StatusOK {
		tb.Fatalf("%s: %d, %v\n%s", path, status, err, body)
	}
	var p page
	if err := json.Unmarshal(body, &p); err != nil {
		tb.Fatal(err)
	}
	return p
}

// submissionIDs returns the ids of a page of finished submissions.
func (c *api) submissionIDs(tb testing.TB) []string {
	tb.Helper()
	var ids []string
	for _, item := range c.page(tb, "/v1/submissions?status=done&limit=1000").Items {
		ids = append(ids, strings.Trim(string(item.ID), `"`))
	}
	return ids
}

// cursorAt follows a list for so many pages.
func (c *api) cursorAt(tb testing.TB, path string, pages int) string {
	tb.Helper()
	cursor := c.page(tb, path).NextCursor
	for range pages {
		cursor = c.page(tb, "/v1/audits?limit=1000&cursor="+url.QueryEscape(cursor)).NextCursor
	}
	return cursor
}

type speed struct{ rate, p50, p99 float64 }

// measure sends requests over so many connections for two seconds.
func (c *api) measure(b *testing.B, connections int, request func(int) (string, string, string)) speed {
	b.Helper()
	const length = 2 * time.Second
	results := make([][]time.Duration, connections)
	var group sync.WaitGroup
	start := time.Now()
	for n := range connections {
		group.Go(func() {
			for i := n; time.Since(start) < length; i += connections {
				method, path, body := request(i)
				begin := time.Now()
				status, answer, err := c.do(b.Context(), method, path, body)
				if err != nil || status >= 300 {
					b.Errorf("%s %s: %d, %v\n%s", method, path, status, err, answer)
					return
				}
				results[n] = append(results[n], time.Since(begin))
			}
		})
	}
	group.Wait()
	took := time.Since(start)
	all := slices.Concat(results...)
	if len(all) == 0 {
		return speed{}
	}
	slices.Sort(all)
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	return speed{rate: float64(len(all)) / took.Seconds(), p50: ms(all[len(all)/2]), p99: ms(all[len(all)*99/100])}
}
