package portal_test

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"portaldb/db"
	"portaldb/internal/portal"
	"portaldb/internal/postgres"
)

//go:embed testdata/rows.sql
var rowsSQL string

// explainer is the way to the database that reads take, and measures each statement before it is run: under the same
// settings, with the same arguments.
type explainer struct {
	postgres.Reads
	read    float64  // rows that the scans of the last statement have read
	scans   []string // what they were
	planned int      // statements that had one plan for all arguments
}

func (e *explainer) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	if err := e.measure(e.QueryRow(ctx, "EXPLAIN (ANALYZE, FORMAT JSON) "+sql, args...)); err != nil {
		return nil, err
	}
	return e.Reads.Query(ctx, sql, args...)
}

// measure notes what an EXPLAIN has returned.
func (e *explainer) measure(row pgx.Row) error {
	var text []byte
	if err := row.Scan(&text); err != nil {
		return err
	}
	var explained []struct{ Plan planNode }
	if err := json.Unmarshal(text, &explained); err != nil {
		return err
	}
	e.read, e.scans = 0, nil
	explained[0].Plan.walk(func(n planNode) {
		if n.Loops == 0 || !strings.HasSuffix(n.Type, "Scan") || n.Relation == "" && n.Type != "Bitmap Index Scan" {
			return
		}
		read := (n.Rows + n.Filtered + n.Rechecked) * n.Loops
		e.read += read
		e.scans = append(e.scans, fmt.Sprintf("%s %s %s: %g", n.Type, n.Relation, n.Index, read))
	})
	return nil
}

// Planned measures statements by the plan that they have for all arguments.
func (e *explainer) Planned() db.DBTX { return plannedExplainer{e.Reads.Planned(), e} }

type plannedExplainer struct {
	db.DBTX
	explainer *explainer
}

// Query prepares the statement under a name, which EXPLAIN takes; there is one connection only.
func (p plannedExplainer) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	literals := make([]string, len(args))
	for i, arg := range args {
		literals[i] = "'" + strings.ReplaceAll(fmt.Sprint(arg), "'", "''") + "'"
	}
	if err := p.run(ctx, "PREPARE planned AS "+sql); err != nil {
		return nil, err
	}
	if err := p.explainer.measure(p.QueryRow(ctx, "EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE planned("+strings.Join(literals, ", ")+")")); err != nil {
		return nil, err
	}
	if err := p.run(ctx, "DEALLOCATE planned"); err != nil {
		return nil, err
	}
	p.explainer.planned++
	return p.DBTX.Query(ctx, sql, args...)
}

func (p plannedExplainer) run(ctx context.Context, sql string) error {
	rows, err := p.DBTX.Query(ctx, sql)
	if err != nil {
		return err
	}
	rows.Close()
	return rows.Err()
}

type planNode struct {
	Type      string  `json:"Node Type"`
	Relation  string  `json:"Relation Name"`
	Index     string  `json:"Index Name"`
	Rows      float64 `json:"Actual Rows"`
	Loops     float64 `json:"Actual Loops"`
	Filtered  float64 `json:"Rows Removed by Filter"`
	Rechecked float64 `json:"Rows Removed by Index Recheck"`
	Plans     []planNode
}

func (n planNode) walk(visit func(planNode)) {
	visit(n)
	for _, child := range n.Plans {
		child.walk(visit)
	}
}

// window narrows a list down by time, by a cursor somewhere in it, or by both.
type window struct {
	name         string
	since, until *time.Time
	before       *time.Time
}

// windows are some of them in the short size.
func windows() []window {
	ago := func(days int) *time.Time { return ptr(time.Now().AddDate(0, 0, -days)) }
	few := []window{
		{name: "all"},
		{name: "day", since: ago(101), until: ago(100)},
		{name: "cursor", before: ago(180)},
	}
	if testing.Short() {
		return few
	}
	return append(few,
		window{name: "since", since: ago(30)},
		window{name: "until", until: ago(200)},
		window{name: "cursor in time", since: ago(300), until: ago(10), before: ago(150)},
	)
}

// absent is a value that no row has.
var absent = ptr("absent")

// TestPlans proves for every list that it reads an index, and at most ten times the rows that it returns and its limit,
// whatever filters are combined: with values that many, few or no rows have. In the full size, where each person has some 500
// submissions and 1,500 events, one that finds little may read as many, once for each of the statuses: a millisecond's work.
func TestPlans(t *testing.T) {
	t.Parallel()
	b := setup(t, "pool_max_conns=1")
	submissions, audits, few := 1_000_000, 3_000_000, 1_500.0
	if testing.Short() {
		submissions, audits, few = 300_000, 300_000, 0
	}
	b.exec(t, fmt.Sprintf("SET rows.submissions = %d; SET rows.audits = %d", submissions, audits))
	b.exec(t, rowsSQL)
	b.exec(t, "VACUUM ANALYZE public.submissions, public.automation_audits")

	explain := &explainer{Reads: b.db.Reads()}
	service := portal.New(b.db.Primary(), explain)
	statements := 0
	check := func(t *testing.T, returned int, filter any) {
		t.Helper()
		statements++
		most := max(10*float64(returned+portal.DefaultLimit), few)
		for _, scan := range explain.scans {
			if strings.HasPrefix(scan, "Seq Scan") {
				most = 0
			}
		}
		if explain.read > most {
			text, _ := json.Marshal(filter)
			t.Errorf("%s returns %d rows, reads %g, may read %g:\n\t%s", text, returned, explain.read, most, strings.Join(explain.scans, "\n\t"))
		}
	}

	t.Run("ListSubmissions", func(t *testing.T) {
		person := value[string](t, b, "SELECT actor_cpf FROM submissions WHERE kind = 'dfd' LIMIT 1")
		email := value[string](t, b, "SELECT actor_email FROM submissions WHERE actor_cpf = $1 LIMIT 1", person)
		kinds := []*string{nil, ptr("dfd"), ptr("ponto_saldo"), ptr("fileshare"), ptr("support"), ptr("arquivo_morto"), ptr("form2json"), absent}
		actors := []*string{nil, ptr(""), ptr("anonymous"), &person, absent}
		emails := []*string{nil, &email, absent}
		statuses := [][]string{nil, {"queued"}, {"running"}, {"error"}, {"queued", "running"}, {"done", "error"}, {"queued", "done", "error"}}
		for _, kind := range kinds {
			for _, actor := range actors {
				for _, email := range emails {
					for _, status := range statuses {
						for _, window := range windows() {
							filter := portal.SubmissionFilter{Kind: kind, ActorCPF: actor, ActorEmail: email, Statuses: status, Since: window.since, Until: window.until}
							page := portal.PageRequest{}
							if window.before != nil {
								page.Cursor = portal.SubmissionCursor(filter, *window.before, "80000000-0000-0000-0000-000000000000")
							}
							list, err := service.ListSubmissions(t.Context(), filter, page)
							if err != nil {
								t.Fatal(err)
							}
							check(t, len(list.Items), filter)
						}
					}
				}
			}
		}
	})

	t.Run("ListAudits", func(t *testing.T) {
		person := value[string](t, b, "SELECT actor_cpf FROM automation_audits WHERE kind = 'dfd' LIMIT 1")
		sid := value[string](t, b, "SELECT meta ->> 'sid' FROM automation_audits WHERE kind = 'dfd' LIMIT 1")
		kinds := []*string{nil, ptr("fileshare"), ptr("dfd"), ptr("ponto_saldo"), ptr("support"), ptr("arquivo_morto"), ptr("form2json"), absent}
		actions := []*string{nil, ptr("completed"), ptr("downloaded"), ptr("downloaded_shared_link"), ptr("cancelled"), absent}
		actors := []*string{nil, ptr(""), ptr("anonymous"), &person, absent}
		sids := []*string{nil, &sid, absent}
		for _, kind := range kinds {
			for _, action := range actions {
				for _, actor := range actors {
					for _, sid := range sids {
						for _, window := range windows() {
							filter := portal.AuditFilter{Kind: kind, Action: action, ActorCPF: actor, SID: sid, Since: window.since, Until: window.until}
							page := portal.PageRequest{}
							if window.before != nil {
								page.Cursor = portal.AuditCursor(filter, *window.before, "1000")
							}
							list, err := service.ListAudits(t.Context(), filter, page)
							if err != nil {
								t.Fatal(err)
							}
							check(t, len(list.Items), filter)
						}
					}
				}
			}
		}
	})

	t.Run("ListAudits by object", func(t *testing.T) {
		key := func(sql string) *string { return ptr(value[string](t, b, sql)) }
		person := key("SELECT actor_cpf FROM automation_audits WHERE kind = 'dfd' LIMIT 1")
		sid := key("SELECT meta ->> 'sid' FROM automation_audits WHERE kind = 'dfd' LIMIT 1")
		target := key("SELECT meta ->> 'target_id' FROM automation_audits WHERE meta ? 'target_id' LIMIT 1")
		user := key("SELECT meta ->> 'user_id' FROM automation_audits WHERE meta ->> 'user_id' <> 'common' LIMIT 1")
		session := key("SELECT meta ->> 'session_id' FROM automation_audits WHERE meta ? 'session_id' LIMIT 1")
		for _, about := range []portal.AuditFilter{
			{SID: sid}, {SID: target}, {SID: absent}, {UserID: ptr("common")}, {UserID: user}, {UserID: absent}, {SessionID: session}, {SessionID: absent},
			{Object: ptr("0")}, {Object: ptr("4711")}, {Object: ptr("common")}, {Object: user}, {Object: session}, {Object: sid}, {Object: absent},
			{Object: ptr("common"), SID: sid}, {Object: sid, UserID: ptr("common")}, {SID: target, SessionID: absent}, {UserID: user, SessionID: session},
		} {
			for _, kind := range []*string{nil, ptr("fileshare"), ptr("arquivo_morto"), absent} {
				for _, action := range []*string{nil, ptr("downloaded"), ptr("cancelled")} {
					for _, actor := range []*string{nil, person} {
						for _, window := range windows() {
							filter := about
							filter.Kind, filter.Action, filter.ActorCPF, filter.Since, filter.Until = kind, action, actor, window.since, window.until
							page := portal.PageRequest{}
							if window.before != nil {
								page.Cursor = portal.AuditCursor(filter, *window.before, "1000")
							}
							list, err := service.ListAudits(t.Context(), filter, page)
							if err != nil {
								t.Fatal(err)
							}
							check(t, len(list.Items), filter)
						}
					}
				}
			}
		}
	})

	t.Run("names", func(t *testing.T) {
		for name, list := range map[string]func() (portal.Page[string], error){
			"kinds": func() (portal.Page[string], error) { return service.ListAuditKinds(t.Context(), portal.PageRequest{}) },
			"actions": func() (portal.Page[string], error) {
				return service.ListAuditActions(t.Context(), portal.AuditActionFilter{}, portal.PageRequest{})
			},
			"actions of a kind": func() (portal.Page[string], error) {
				return service.ListAuditActions(t.Context(), portal.AuditActionFilter{Kind: ptr("fileshare")}, portal.PageRequest{})
			},
		} {
			names, err := list()
			if err != nil || len(names.Items) == 0 {
				t.Fatalf("%s: %v, %v", name, names, err)
			}
			if explain.read > 100 {
				t.Errorf("%s: reads %g rows:\n\t%s", name, explain.read, strings.Join(explain.scans, "\n\t"))
			}
		}
	})

	t.Run("Stats", func(t *testing.T) {
		stats, err := service.Stats(t.Context(), portal.StatsRequest{})
		if err != nil {
			t.Fatal(err)
		}
		// One probe for each kind and one scan for each kind and status come on top of what is counted.
		if most := float64(stats.Total) + 100; stats.Total == 0 || explain.read > most {
			t.Errorf("counts %d rows, reads %g, may read %g", stats.Total, explain.read, most)
		}
		for _, scan := range explain.scans {
			if !strings.HasPrefix(scan, "Index Only Scan") && !strings.HasPrefix(scan, "CTE Scan") && !strings.HasPrefix(scan, "WorkTable Scan") && !strings.HasPrefix(scan, "Function Scan") {
				t.Errorf("reads more than an index: %s", scan)
			}
		}
	})
	if explain.planned == 0 {
		t.Error("no statement had one plan for all arguments")
	}
	t.Logf("%d statements on %d submissions and %d audit events", statements, submissions, audits)
}
