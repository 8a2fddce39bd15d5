package migrations_test

import (
	"errors"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
)

// wantRefusal checks that an error is a refusal by the named constraint, and says what to do.
func wantRefusal(t *testing.T, err error, constraint string) {
	t.Helper()
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		t.Fatalf("got %v, want a refusal", err)
	}
	if pg.Code != "23001" || pg.ConstraintName != constraint || pg.Hint == "" {
		t.Errorf("got %s, constraint %q, hint %q; want 23001, %q and a hint", pg.Code, pg.ConstraintName, pg.Hint, constraint)
	}
}

// TestGuards checks what the triggers refuse and what they let pass.
func TestGuards(t *testing.T) {
	t.Parallel()
	db := newDatabase(t)
	db.up(t, db.latest())
	db.exec(t, `
		INSERT INTO automation_audits (id, kind, action) VALUES (-1, 'dfd', 'submitted');
		INSERT INTO submissions (id, kind, version, actor_cpf, payload, status) VALUES
			('queued', 'dfd', '1', NULL, '{"n": 1.0}', 'queued'), ('running', 'dfd', '1', '', '[]', 'running'),
			('done', 'dfd', '1', '', 'null', 'done'), ('error', 'dfd', '1', '', '1', 'error')`)
	const (
		none       = ""
		appendOnly = "automation_audits_append_only"
		immutable  = "submissions_immutable"
		requeued   = "submissions_not_requeued"
	)
	for _, test := range []struct{ statement, constraint string }{
		{`UPDATE automation_audits SET kind = 'etp'`, appendOnly},
		{`UPDATE automation_audits SET kind = kind`, appendOnly},
		{`UPDATE automation_audits SET kind = 'etp' WHERE id = 0`, appendOnly},
		{`DELETE FROM automation_audits`, appendOnly},
		{`TRUNCATE automation_audits`, appendOnly},
		{`TRUNCATE automation_audits, submissions CASCADE`, appendOnly},
		{`INSERT INTO automation_audits (id, kind, action) VALUES (-1, 'a', 'b') ON CONFLICT (id) DO UPDATE SET kind = 'b'`, appendOnly},
		{`INSERT INTO automation_audits (id, kind, action) VALUES (-1, 'a', 'b') ON CONFLICT (id) DO NOTHING`, none},
		{`INSERT INTO automation_audits (kind, action) VALUES ('a', 'b')`, none},

		{`UPDATE submissions SET id = 'other' WHERE id = 'queued'`, immutable},
		{`UPDATE submissions SET kind = 'etp'`, immutable},
		{`UPDATE submissions SET version = ''`, immutable},
		{`UPDATE submissions SET actor_cpf = '' WHERE id = 'queued'`, immutable},
		{`UPDATE submissions SET actor_cpf = NULL WHERE id = 'running'`, immutable},
		{`UPDATE submissions SET actor_nome = ''`, immutable},
		{`UPDATE submissions SET actor_email = ''`, immutable},
		{`UPDATE submissions SET payload = '{"n": 2}' WHERE id = 'queued'`, immutable},
		{`UPDATE submissions SET payload = '{"n": 1.00}' WHERE id = 'queued'`, immutable},
		{`UPDATE submissions SET payload = '{}' WHERE id = 'done'`, immutable},
		{`UPDATE submissions SET created_at = created_at - interval '1 microsecond'`, immutable},
		{`UPDATE submissions SET status = 'running', kind = 'etp' WHERE id = 'queued'`, immutable},
		{`INSERT INTO submissions (id, kind, version, payload, status) VALUES ('done', 'x', '1', '{}', 'done') ON CONFLICT (id) DO UPDATE SET kind = EXCLUDED.kind`, immutable},
		{`UPDATE submissions SET id = id, kind = kind, version = version, actor_cpf = actor_cpf, actor_nome = actor_nome,
			actor_email = actor_email, payload = payload, created_at = created_at`, none},
		{`UPDATE submissions SET result = '[]', error = '', updated_at = '2000-01-01'`, none},

		{`UPDATE submissions SET status = 'queued' WHERE id = 'running'`, requeued},
		{`UPDATE submissions SET status = 'queued' WHERE id = 'done'`, requeued},
		{`UPDATE submissions SET status = 'queued' WHERE id = 'error'`, requeued},
		{`UPDATE submissions SET status = 'queued' WHERE id = 'queued'`, none},
		{`UPDATE submissions SET status = 'running' WHERE id = 'error'`, none},
		{`UPDATE submissions SET status = 'done' WHERE id = 'queued'`, none},
	} {
		tx, err := db.BeginTx(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		_, err = tx.ExecContext(t.Context(), test.statement)
		t.Run(test.statement, func(t *testing.T) {
			if test.constraint != none {
				wantRefusal(t, err, test.constraint)
			} else if err != nil {
				t.Error(err)
			}
		})
		if err := tx.Rollback(); err != nil {
			t.Fatal(err)
		}
	}
}
