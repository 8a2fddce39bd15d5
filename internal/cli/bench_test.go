package cli_test

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"portaldb/db"
	"portaldb/internal/devpg"
	"portaldb/internal/pgtest"
)

const (
	benchRounds = 5
	benchLength = 2 * time.Second
)

// BenchmarkRoutes loads testdata/load.sql (PORTALDB_BENCH_SUBMISSIONS rows, by default a million, and three times as many
// audits) into a durable server, and prints how many requests a second the service answers at 16 and 64 connections, next to
// a bare server of the same answers and to pgbench with the statements alone: in interleaved rounds, of which the median
// counts. All of them share the machine with the server and with what sends the requests.
func BenchmarkRoutes(b *testing.B) {
	database := benchDatabase(b)
	load(b, database)
	ours := startOurs(b, database)
	env := []string{"DATABASE_URL=" + database}
	bare := startPeer(b, exec.CommandContext(b.Context(), os.Args[0]), append(env, bareVariable+"=1")...)

	ids := ours.submissionIDs(b)
	batch := "[" + strings.TrimSuffix(strings.Repeat(`{"kind":"dfd","action":"downloaded","actor_cpf":"10000000007","meta":{"sid":"x","filename":"documento.pdf"}},`, 1000), ",") + "]"
	for b.Loop() {
		var table strings.Builder
		fmt.Fprintf(&table, "%-32s %4s %9s %9s %7s %8s %8s %8s %8s %9s %9s\n", "requests a second", "conn", "portaldb", "bare", "/bare", "p50 ms", "bare", "p99 ms", "bare", "pgbench", "/pgbench")
		for _, route := range []struct {
			name    string
			request func(i int) (method, path, body string)
			script  string // of pgbench
		}{
			{"get by id", func(i int) (string, string, string) { return "GET", "/v1/submissions/" + ids[i%len(ids)], "" },
				pgbenchScript(ids, db.GetSubmission, ":id")},
			{"list 50 by kind and actor", func(int) (string, string, string) {
				return "GET", "/v1/submissions?kind=dfd&actor_cpf=10000000007", ""
			}, pgbenchScript(ids, bareSubmissions, "'dfd'", "'10000000007'")},
			{"list 50 audits, common kind", func(int) (string, string, string) { return "GET", "/v1/audits?kind=fileshare", "" },
				pgbenchScript(ids, bareAudits, "'fileshare'")},
			{"list 50 audits, rare kind", func(int) (string, string, string) { return "GET", "/v1/audits?kind=arquivo_morto", "" },
				pgbenchScript(ids, bareAudits, "'arquivo_morto'")},
			{"create", func(int) (string, string, string) {
				return "POST", "/v1/submissions", `{"kind":"dfd","version":"1.0","actor_cpf":"10000000007","payload":{"numero":"1/2026","itens":[1,2,3]}}`
			}, pgbenchScript(ids, db.CreateSubmission, createArguments...)},
			{"change with audit", func(i int) (string, string, string) {
				return "PATCH", "/v1/submissions/" + ids[i%len(ids)], `{"result":{"ok":true}}`
			}, pgbenchScript(ids, db.UpdateSubmission, updateArguments...)},
			{"1,000 audits", func(int) (string, string, string) { return "POST", "/v1/audits", batch }, ""},
		} {
			if strings.Contains(route.name, "1,000") {
				fmt.Fprintf(&table, "most memory until here: portaldb %d MiB, bare %d MiB\n", ours.memory(b)>>10, bare.memory(b)>>10)
			}
			for _, connections := range []int{16, 64} {
				var mine, peer, limit []speed
				for range benchRounds {
					mine = append(mine, ours.hammer(b, connections, route.request))
					peer = append(peer, bare.hammer(b, connections, route.request))
					if route.script != "" && connections == 16 {
						limit = append(limit, pgbench(b, database, route.script, connections))
					}
				}
				m, p := medianSpeed(mine), medianSpeed(peer)
				fmt.Fprintf(&table, "%-32s %4d %9.0f %9.0f %7.2f %8.2f %8.2f %8.2f %8.2f", route.name, connections, m.rate, p.rate, m.rate/p.rate, m.p50, p.p50, m.p99, p.p99)
				if len(limit) > 0 {
					l := medianSpeed(limit)
					fmt.Fprintf(&table, " %9.0f %9.2f", l.rate, m.rate/l.rate)
				}
				table.WriteString("\n")
			}
		}
		deep := ours.cursorAt(b, "/v1/audits?limit=1000", 1000)
		first := func(int) (string, string, string) { return "GET", "/v1/audits", "" }
		last := func(int) (string, string, string) {
			return "GET", "/v1/audits?limit=50&cursor=" + url.QueryEscape(deep), ""
		}
		var top, bottom []speed
		for range benchRounds {
			top, bottom = append(top, ours.hammer(b, 1, first)), append(bottom, ours.hammer(b, 1, last))
		}
		fmt.Fprintf(&table, "\npage of audits at depth 1,000,000 to page 1, p50: %.2f\n", medianSpeed(bottom).p50/medianSpeed(top).p50)
		fmt.Fprintf(&table, "most memory: portaldb %d MiB, bare %d MiB\n", ours.memory(b)>>10, bare.memory(b)>>10)
		const export = "/v1/audits/export?kind=dfd&format="
		var ndjson, bareNDJSON, csv, copied []speed
		for range benchRounds {
			ndjson = append(ndjson, ours.lines(b, export+"ndjson"))
			bareNDJSON = append(bareNDJSON, bare.lines(b, export+"ndjson"))
			csv = append(csv, ours.lines(b, export+"csv"))
			copied = append(copied, psqlCopy(b, database, "SELECT id, at, actor_cpf, actor_nome, kind, action, meta FROM automation_audits WHERE kind = 'dfd' ORDER BY at DESC, id DESC"))
		}
		n, p, c, l := medianSpeed(ndjson), medianSpeed(bareNDJSON), medianSpeed(csv), medianSpeed(copied)
		fmt.Fprintf(&table, "export, rows a second: NDJSON %.0f, bare %.0f, /bare %.2f; CSV %.0f, psql's copy %.0f, /copy %.2f\n", n.rate, p.rate, n.rate/p.rate, c.rate, l.rate, c.rate/l.rate)
		for _, path := range []string{"/v1/submissions", "/v1/audits", "/v1/stats"} {
			all := medianSpeed([]speed{ours.hammer(b, 1, func(int) (string, string, string) { return "GET", path, "" })})
			fmt.Fprintf(&table, "%s alone: %.2f ms\n", path, all.p50)
		}
		fmt.Print("\n", table.String()) // b.Log cuts what is long
	}
}

// What the service sends for the requests above.
var (
	createArguments = []string{"'dfd'", "'{}'::text[]", `'{"numero":"1/2026","itens":[1,2,3]}'`, "gen_random_uuid()::text", "'1.0'", "'10000000007'", "NULL", "NULL", "'queued'", "NULL", "'bench'", "NULL", "false"}
	updateArguments = []string{":id", "NULL", "NULL", "true", `jsonb_build_object('ok', true)`, "false", "NULL", "'{queued,running,done,error}'::text[]", "NULL", "NULL", "NULL", "NULL", "'updated'", "'bench'"}
)

// benchDatabase starts a durable server, and applies the migrations in a database of it.
func benchDatabase(b *testing.B) string {
	b.Helper()
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
	if up := run(b, []string{"DATABASE_URL=" + database}, "up"); up.code != 0 {
		b.Fatal(up.stderr)
	}
	return database
}

// startOurs builds and starts the service, with more of an environment, and makes a token for it.
func startOurs(b *testing.B, database string, more ...string) *peer {
	b.Helper()
	env := append([]string{"DATABASE_URL=" + database}, more...)
	created := run(b, env, "token", "create", "bench", "--role", "admin", "--json")
	if created.code != 0 {
		b.Fatal(created.stderr)
	}

	binary := filepath.Join(b.TempDir(), "portaldb")
	if out, err := exec.CommandContext(b.Context(), "go", "build", "-o", binary, "portaldb/cmd/portaldb").CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	ours := startPeer(b, exec.CommandContext(b.Context(), binary, "serve", "--addr", "127.0.0.1:0"), env...)
	ours.token = created.object(b)["token"].(string)
	return ours
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

var parameter = regexp.MustCompile(`\$(\d+)`)

// pgbenchScript is a script of pgbench that sends the statement with the arguments in place of its parameters; id is one of
// ids.
func pgbenchScript(ids []string, statement string, arguments ...string) string {
	var cases strings.Builder
	sql := parameter.ReplaceAllStringFunc(statement, func(match string) string {
		n, _ := strconv.Atoi(match[1:])
		return arguments[n-1]
	})
	sql = strings.Join(strings.Fields(regexp.MustCompile(`--.*`).ReplaceAllString(sql, "")), " ")
	// An id is text, and pgbench has numbers only: they choose one that the array holds.
	fmt.Fprintf(&cases, "\\set n random(1, %d)\n", len(ids))
	sql = strings.ReplaceAll(sql, ":id", "(ARRAY['"+strings.Join(ids[:min(len(ids), 100)], "','")+"'])[1 + :n % "+strconv.Itoa(min(len(ids), 100))+"]")
	return cases.String() + sql + ";\n"
}

// pgbench runs a script with prepared statements.
func pgbench(b *testing.B, database, script string, connections int) speed {
	b.Helper()
	file := filepath.Join(b.TempDir(), "script.sql")
	if err := os.WriteFile(file, []byte(script), 0o600); err != nil {
		b.Fatal(err)
	}
	out, err := exec.CommandContext(b.Context(), "pgbench", "--no-vacuum", "--protocol=prepared", "--client="+strconv.Itoa(connections), "--jobs=2",
		"--time="+strconv.Itoa(int(benchLength.Seconds())), "--file="+file, database).CombinedOutput()
	match := regexp.MustCompile(`tps = ([0-9.]+)`).FindSubmatch(out)
	if err != nil || match == nil {
		b.Fatalf("pgbench: %v\n%s\n%.2000s", err, out, script)
	}
	rate, err := strconv.ParseFloat(string(match[1]), 64)
	if err != nil {
		b.Fatal(err)
	}
	return speed{rate: rate}
}

// peer is a server under load, in a process of its own.
type peer struct {
	addr, token string
	headers     string // further ones, each with its CR LF
	process     *os.Process
}

// startPeer starts a server that says where it listens, and ends it with the benchmark.
func startPeer(b *testing.B, cmd *exec.Cmd, env ...string) *peer {
	b.Helper()
	cmd.Env = append(os.Environ(), env...)
	output, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
	})
	lines := bufio.NewScanner(output)
	for lines.Scan() {
		if match := regexp.MustCompile(`(?:"addr":"|^)(127\.0\.0\.1:\d+)`).FindStringSubmatch(lines.Text()); match != nil && !strings.Contains(lines.Text(), "/") {
			go func() { _, _ = io.Copy(io.Discard, output) }()
			return &peer{addr: match[1], process: cmd.Process}
		}
	}
	b.Fatalf("%s did not start: %v", cmd, lines.Err())
	return nil
}

// memory is the most that was resident, in KiB.
func (p *peer) memory(b *testing.B) int {
	b.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.process.Pid))
	if err != nil {
		b.Fatal(err)
	}
	match := regexp.MustCompile(`VmHWM:\s+(\d+)`).FindSubmatch(status)
	kib, err := strconv.Atoi(string(match[1]))
	if err != nil {
		b.Fatal(err)
	}
	return kib
}

func (p *peer) request(method, path, body string) []byte {
	text := fmt.Sprintf("%s %s HTTP/1.1\r\nHost: portal\r\n", method, path) + p.headers
	if p.token != "" {
		text += "Authorization: Bearer " + p.token + "\r\n"
	}
	if body != "" {
		text += fmt.Sprintf("Content-Type: application/json\r\nContent-Length: %d\r\n", len(body))
	}
	return []byte(text + "\r\n" + body)
}

type speed struct{ rate, p50, p99 float64 } // a second, ms, ms

// hammer sends requests over so many connections, one at a time on each, with as little work of its own as can be.
func (p *peer) hammer(b *testing.B, connections int, request func(int) (string, string, string)) speed {
	b.Helper()
	results := make([][]time.Duration, connections)
	var group sync.WaitGroup
	var next atomic.Int64
	start := time.Now()
	for n := range connections {
		group.Go(func() {
			conn, err := net.Dial("tcp", p.addr)
			if err != nil {
				b.Error(err)
				return
			}
			defer conn.Close()
			reader := bufio.NewReaderSize(conn, 64<<10)
			for time.Since(start) < benchLength {
				method, path, body := request(int(next.Add(1)))
				begin := time.Now()
				if _, err := conn.Write(p.request(method, path, body)); err != nil {
					b.Error(err)
					return
				}
				response, err := http.ReadResponse(reader, nil)
				if err != nil {
					b.Error(err)
					return
				}
				content, err := io.ReadAll(response.Body)
				response.Body.Close()
				if err != nil || response.StatusCode >= 300 {
					b.Errorf("%s %s: %d, %v\n%s", method, path, response.StatusCode, err, content)
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
		b.Fatal("no answer")
	}
	slices.Sort(all)
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	return speed{rate: float64(len(all)) / took.Seconds(), p50: ms(all[len(all)/2]), p99: ms(all[len(all)*99/100])}
}

func medianSpeed(rounds []speed) speed {
	slices.SortFunc(rounds, func(a, b speed) int { return cmp.Compare(a.rate, b.rate) })
	return rounds[len(rounds)/2]
}

// lines reads an answer to its end, and tells how many lines of it come in a second.
func (p *peer) lines(b *testing.B, path string) speed {
	b.Helper()
	start := time.Now()
	response := p.get(b, path)
	defer response.Body.Close()
	return lineSpeed(b, start, response.Body)
}

// psqlCopy has psql write what a query selects as CSV, which is the limit of an export.
func psqlCopy(b *testing.B, database, query string) speed {
	b.Helper()
	start := time.Now()
	psql := exec.CommandContext(b.Context(), "psql", "--no-psqlrc", "--command=COPY ("+query+") TO STDOUT (FORMAT csv, HEADER)", database)
	out, err := psql.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := psql.Start(); err != nil {
		b.Fatal(err)
	}
	speed := lineSpeed(b, start, out)
	if err := psql.Wait(); err != nil {
		b.Fatal(err)
	}
	return speed
}

func lineSpeed(b *testing.B, start time.Time, r io.Reader) speed {
	b.Helper()
	count, buffer := 0, make([]byte, 1<<20)
	for {
		n, err := r.Read(buffer)
		count += bytes.Count(buffer[:n], []byte("\n"))
		if err == io.EOF {
			return speed{rate: float64(count) / time.Since(start).Seconds()}
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}

type benchPage struct {
	Items      []struct{ ID json.RawMessage }
	NextCursor string `json:"next_cursor"`
}

func (p *peer) get(b *testing.B, path string) *http.Response {
	b.Helper()
	r, err := http.NewRequestWithContext(b.Context(), http.MethodGet, "http://"+p.addr+path, nil)
	if err != nil {
		b.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+p.token)
	r.Header.Set("Accept-Encoding", "identity")
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		b.Fatal(err)
	}
	if response.StatusCode != http.StatusOK {
		b.Fatalf("%s: status %d", path, response.StatusCode)
	}
	return response
}

func (p *peer) page(b *testing.B, path string) benchPage {
	b.Helper()
	response := p.get(b, path)
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	var page benchPage
	if err != nil || json.Unmarshal(content, &page) != nil {
		b.Fatalf("%s: %d, %v\n%s", path, response.StatusCode, err, bytes.TrimSpace(content))
	}
	return page
}

// submissionIDs returns the ids of a page of finished submissions.
func (p *peer) submissionIDs(b *testing.B) []string {
	b.Helper()
	var ids []string
	for _, item := range p.page(b, "/v1/submissions?status=done&limit=1000").Items {
		ids = append(ids, strings.Trim(string(item.ID), `"`))
	}
	return ids
}

// cursorAt follows a list for so many pages, or until it ends.
func (p *peer) cursorAt(b *testing.B, path string, pages int) string {
	b.Helper()
	cursor := p.page(b, path).NextCursor
	for range pages {
		next := p.page(b, "/v1/audits?limit=1000&cursor="+url.QueryEscape(cursor)).NextCursor
		if next == "" {
			break
		}
		cursor = next
	}
	return cursor
}
