package schema_test

import (
	"errors"
	"testing"

	"portaldb/internal/pgtest"
	"portaldb/internal/schema"
)

func TestEngine_VerifyHistory(t *testing.T) {
	t.Parallel()
	set := files("create table a ();", "create table b ();", "create table c ();")
	for _, c := range []struct {
		name, change, reason string
		seq                  int64
	}{
		{name: "as it was written"},
		{"edited", `update portaldb.history set actor = 'somebody else' where seq = 2`, "it was edited", 2},
		{"edited body", `update portaldb.history set body = body || ' ' where seq = 1`, "it was edited", 1},
		{"lost", `delete from portaldb.history where seq = 2`, "a row before it is missing", 3},
		{"lost at the beginning", `delete from portaldb.history where seq = 1`, "a row before it is missing", 2},
		{"replaced", `update portaldb.history set previous_hash = 'x' where seq = 3`, "the row before it was replaced", 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			url := pgtest.Empty(t)
			engine := openWith(t, schema.Config{URL: url, FS: set, Actor: schema.Actor{Name: "somebody@somewhere", Job: "job"}})
			if _, err := engine.Up(t.Context(), 0); err != nil {
				t.Fatal(err)
			}
			entries, err := engine.History(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if last := entries[2]; len(entries) != 3 || last.Version != 3 || last.Actor != "somebody@somewhere" || *last.Job != "job" || last.Commit != nil || last.Outcome != "done" {
				t.Fatalf("got %+v", entries)
			}
			db := connect(t, url)
			// Another session's settings must not change what a row says.
			if _, err := db.ExecContext(t.Context(), c.change+`; alter database `+scan[string](t, db, `select quote_ident(current_database())`)+` set timezone = 'America/Sao_Paulo'`); err != nil {
				t.Fatal(err)
			}
			head, err := engine.VerifyHistory(t.Context())
			var broken *schema.BrokenHistoryError
			switch {
			case c.reason == "" && (err != nil || head != entries[2].Hash):
				t.Errorf("got head %q, error %v", head, err)
			case c.reason != "" && (!errors.As(err, &broken) || broken.Seq != c.seq || broken.Reason != c.reason):
				t.Errorf("got %v, want row %d: %s", err, c.seq, c.reason)
			}
		})
	}
}

// TestEngine_Up_after_a_newer_binary finds bookkeeping that has grown since this binary was built.
func TestEngine_Up_after_a_newer_binary(t *testing.T) {
	t.Parallel()
	url := pgtest.Empty(t)
	set := files("create table a ();", "create table b ();")
	if _, err := open(t, url, set).Up(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	db := connect(t, url)
	if _, err := db.ExecContext(t.Context(), `
		update portaldb.meta set bookkeeping = 99;
		alter table portaldb.history add column reviewer text;
		create table portaldb.something_new ();
		update portaldb.history set reviewer = 'somebody'`); err != nil {
		t.Fatal(err)
	}
	engine := open(t, url, set)
	if result, err := engine.Up(t.Context(), 0); err != nil || result.To != 2 {
		t.Fatalf("got %+v, %v", result, err)
	}
	if _, err := engine.VerifyHistory(t.Context()); err != nil {
		t.Error(err)
	}
	if n := scan[int](t, db, `select bookkeeping from portaldb.meta`); n != 99 {
		t.Errorf("the older binary set the bookkeeping back to %d", n)
	}
}
