package main_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"portaldb/internal/pgtest"
)

// TestServe_export exports more rows than fit the memory that the program may use: 3,000,000 audit events, or a tenth of
// them in the short size.
func TestServe_export(t *testing.T) {
	t.Parallel()
	const most = 64 << 20
	rows := 3_000_000
	if testing.Short() {
		rows /= 10
	}
	database := pgtest.New(t)
	conn, err := pgx.Connect(t.Context(), database)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	// Of the indexes only the one that gives the order is kept: the others would take most of the time.
	for _, sql := range []string{
		`DO $$ DECLARE name text; BEGIN FOR name IN
			SELECT indexrelid::regclass::text FROM pg_index WHERE indrelid = 'public.automation_audits'::regclass AND NOT indisprimary
			AND indexrelid <> 'automation_audits_at_id_idx'::regclass LOOP EXECUTE 'DROP INDEX ' || name; END LOOP; END $$`,
		fmt.Sprintf(`INSERT INTO automation_audits (at, actor_cpf, kind, action, meta)
			SELECT timestamptz '2026-01-01T00:00:00Z' + n * interval '1 second', '00000000191', 'dfd', 'downloaded',
			       jsonb_build_object('sid', md5(n::text)::uuid, 'filename', '=documento_' || n || '.pdf')
			FROM generate_series(1, %d) n`, rows),
		"ANALYZE automation_audits",
	} {
		if _, err := conn.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	env := append(os.Environ(), "DATABASE_URL="+database)
	token := binaryToken(t, env, "reader")
	serve := serveBinary(t, env)

	for _, query := range []string{"?format=csv", "?format=ndjson"} {
		begin := time.Now()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, serve.url+"/v1/audits/export"+query, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+token)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		lines, size := 0, 0
		buffer := make([]byte, 1<<20)
		for err == nil {
			var n int
			n, err = resp.Body.Read(buffer)
			lines += bytes.Count(buffer[:n], []byte("\n"))
			size += n
		}
		resp.Body.Close()
		if !errors.Is(err, io.EOF) {
			t.Fatalf("%s: %v after %d lines", query, err, lines)
		}
		want := rows
		if query == "?format=csv" {
			want++
		}
		if resp.StatusCode != http.StatusOK || lines != want {
			t.Errorf("%s: status %d, %d lines, want %d", query, resp.StatusCode, lines, want)
		}
		peak := peakMemory(t, serve.Process.Pid)
		t.Logf("%s: %d of %d rows, %d MB in %s, peak memory %d MiB", query, lines, rows, size>>20, time.Since(begin).Round(time.Millisecond), peak>>20)
		if peak > most {
			t.Errorf("%s: the program has used %d bytes, may use %d", query, peak, most)
		}
	}
}

// peakMemory is the most memory that a process has had at once, in bytes.
func peakMemory(t *testing.T, pid int) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(status), "VmHWM:")
	kB, err := strconv.Atoi(strings.Fields(after)[0])
	if err != nil {
		t.Fatal(err)
	}
	return kB << 10
}
