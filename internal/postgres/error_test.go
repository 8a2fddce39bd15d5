package postgres_test

import (
	"context"
	"net/url"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"portaldb/internal/pgtest"
	"portaldb/internal/portal"
	"portaldb/internal/postgres"
)

// TestTranslate provokes the errors of the database one by one.
func TestTranslate(t *testing.T) {
	t.Parallel()
	db := open(t, postgres.Config{})
	primary := db.Primary()
	exec := func(sql string, args ...any) error {
		_, err := primary.Exec(t.Context(), sql, args...)
		return err
	}
	const insert = `INSERT INTO submissions (id, kind, version, payload, status) VALUES ($1, $2, '1', $3, $4)`
	if err := exec(insert, "first", "dfd", "{}", "running"); err != nil {
		t.Fatal(err)
	}

	for _, test := range []struct {
		name string
		err  error
		code portal.Code
		says string
	}{
		{"id exists", exec(insert, "first", "dfd", "{}", "queued"), portal.CodeConflict, "a submission with this id exists already"},
		{"status", exec(insert, "x", "dfd", "{}", "gone"), portal.CodeInvalid, "status must be queued"},
		{"U+0000 escaped", exec(insert, "x", "dfd", `{"a": "\u0000"}`, "queued"), portal.CodeInvalid, "U+0000"},
		{"U+0000", exec(insert, "x", "d\x00fd", "{}", "queued"), portal.CodeInvalid, "U+0000"},
		{"not UTF-8", exec(insert, "x", "d\xfffd", "{}", "queued"), portal.CodeInvalid, "UTF-8"},
		{"not JSON", exec(insert, "x", "dfd", `{"a":`, "queued"), portal.CodeInvalid, "malformed"},
		{"number", exec(insert, "x", "dfd", `{"a": 1e400000}`, "queued"), portal.CodeInvalid, "too large"},
		{"nesting", exec(insert, "x", "dfd", strings.Repeat("[", 100_000)+strings.Repeat("]", 100_000), "queued"), portal.CodeInvalid, "nested too deeply"},
		{"long numero", exec(insert, "x", "dfd", `{"numero": "`+noise(9000)+`"}`, "queued"), portal.CodeInvalid, "too long for an index"},
		{"long protocolo", exec(insert, "x", "dfd", `{"protocolo": "`+noise(3000)+`"}`, "queued"), portal.CodeInvalid, "protocolo in payload is too long"},
		{"long kind", exec(insert, "x", noise(9000), "{}", "queued"), portal.CodeInvalid, "too long for an index"},
		{"no payload", exec(insert, "x", "dfd", nil, "queued"), portal.CodeInvalid, "missing"},
		{"immutable", exec(`UPDATE submissions SET kind = 'x'`), portal.CodeConflict, "never changes"},
		{"back to queued", exec(`UPDATE submissions SET status = 'queued'`), portal.CodeConflict, "never goes back"},
		{"append-only", exec(`DELETE FROM automation_audits`), portal.CodeConflict, "never change"},
		{"timeout", exec(`SET LOCAL statement_timeout = 10; SELECT pg_sleep(60)`), portal.CodeUnavailable, "too long"},
		{"read only", exec(`SET LOCAL transaction_read_only = on; DELETE FROM submissions`), portal.CodeUnavailable, "takes no changes"},
		{"no row", primary.QueryRow(t.Context(), "SELECT 1 WHERE false").Scan(nil), portal.CodeNotFound, "does not exist"},
		{"no such table", exec(`SELECT * FROM nowhere`), portal.CodeInternal, ""},
		{"killed", exec(`SELECT pg_terminate_backend(pg_backend_pid())`), portal.CodeUnavailable, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.err == nil || portal.ErrorCode(test.err) != test.code {
				t.Fatalf("error %v, want one of code %s", test.err, test.code)
			}
			message := portal.ErrorMessage(test.err)
			if !strings.Contains(message, test.says) {
				t.Errorf("message %q, want %q in it", message, test.says)
			}
			for _, internal := range []string{"SQLSTATE", "INSERT", "UPDATE", "nowhere", "submissions_"} {
				if strings.Contains(message, internal) {
					t.Errorf("message %q tells of %s", message, internal)
				}
			}
		})
	}
}

// TestTranslate_Connections is about servers that do not answer.
func TestTranslate_Connections(t *testing.T) {
	t.Parallel()
	database := pgtest.New(t)
	admin, err := pgx.Connect(t.Context(), pgtest.Superuser(t, database))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { admin.Close(context.Background()) })
	change := func(edit func(*url.URL)) string {
		u, err := url.Parse(database)
		if err != nil {
			t.Fatal(err)
		}
		edit(u)
		return u.String()
	}
	for name, target := range map[string]string{
		"nobody listens": change(func(u *url.URL) { u.Host = "127.0.0.1:1" }),
		"wrong password": change(func(u *url.URL) { u.User = url.UserPassword(u.User.Username(), "s3cret") }),
		"no database":    change(func(u *url.URL) { u.Path = "/nowhere" }),
	} {
		db := open(t, postgres.Config{URL: target})
		for _, err := range []error{
			db.Primary().QueryRow(t.Context(), "SELECT 1").Scan(nil),
			db.Reads().QueryRow(t.Context(), "SELECT 1").Scan(nil),
		} {
			if err == nil || portal.ErrorCode(err) != portal.CodeUnavailable {
				t.Errorf("%s: error %v, want one of code unavailable", name, err)
			} else if strings.Contains(err.Error(), "s3cret") {
				t.Errorf("%s: the error quotes the password: %v", name, err)
			}
		}
	}

	t.Run("deadline while no connection is free", func(t *testing.T) {
		db := open(t, postgres.Config{URL: database})
		rows, err := db.Reads().Query(t.Context(), "SELECT generate_series(1, 2)")
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		ctx, cancel := context.WithTimeout(t.Context(), 1)
		defer cancel()
		if _, err := one[int](ctx, db.Reads(), "SELECT 1"); portal.ErrorCode(err) != portal.CodeUnavailable {
			t.Errorf("error %v, want one of code unavailable", err)
		}
	})

	t.Run("killed by an operator", func(t *testing.T) {
		db := open(t, postgres.Config{URL: database})
		for _, tx := range []interface {
			QueryRow(context.Context, string, ...any) pgx.Row
		}{db.Primary(), db.Reads()} {
			pid := must[int](t)(one[int](t.Context(), tx, "SELECT pg_backend_pid()"))
			if _, err := admin.Exec(t.Context(), "SELECT pg_terminate_backend($1, 5000)", pid); err != nil {
				t.Fatal(err)
			}
			if _, err := one[int](t.Context(), tx, "SELECT 1"); err != nil && portal.ErrorCode(err) != portal.CodeUnavailable {
				t.Errorf("error %v, want one of code unavailable", err)
			}
			must[int](t)(one[int](t.Context(), tx, "SELECT 1"))
		}
	})
}

// noise returns text that does not compress, so that it does not fit an index.
func noise(length int) string {
	var b strings.Builder
	for x := uint32(1); b.Len() < length; {
		x = x*1664525 + 1013904223
		b.WriteByte("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"[x>>26])
	}
	return b.String()
}
