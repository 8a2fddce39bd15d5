package schema_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"

	"portaldb/internal/catalog"
	"portaldb/internal/pgtest"
	"portaldb/internal/schema"
	"portaldb/migrations"
)

// variant is one way in which a database of the legacy scripts differs from the baseline.
type variant struct {
	name   string
	change string
	// blocked is what is left to a person; empty where a machine repairs it.
	blocked string
	// noStartup tells that the legacy start-up does not work on such a database either.
	noStartup bool
	// undoneBy is the variant that, coming later, takes away what this one changed.
	undoneBy string
}

var variants = []variant{
	{name: "as HEAD"},
	{name: "chk names of the alerts", change: `
		alter table platform_alerts rename constraint platform_alerts_level_check to chk_platform_alerts_level;
		alter table platform_alerts rename constraint platform_alerts_status_check to chk_platform_alerts_status;
		alter table platform_alert_recipients rename constraint platform_alert_recipients_status_check to chk_platform_alert_recipient_status`},
	{name: "no uq_users_email, without duplicates", change: `alter table users drop constraint uq_users_email`},
	{name: "no uq_users_cpf, without duplicates", change: `alter table users drop constraint uq_users_cpf`},
	{name: "no single published alert, with one", change: `drop index ux_platform_alerts_single_published`},
	{name: "vacation columns at the end", change: `
		alter table users drop column saldo_ferias, drop column saldo_ferias_ano;
		alter table users add column saldo_ferias integer not null default 30, add column saldo_ferias_ano integer not null default extract(year from now())::integer`},
	{name: "no vacation columns", change: `alter table users drop column saldo_ferias, drop column saldo_ferias_ano`},
	{name: "unaccent", change: `create extension unaccent`},
	{name: "no indexes on payload", change: `drop index ix_submissions_payload_gin, ix_submissions_kind_payload_numero, ix_submissions_kind_payload_protocolo, ix_submissions_result_gin`},
	{name: "no fileshare_items", change: `drop table fileshare_items`},
	{name: "no notifications", change: `drop table notification_recipients, notifications`},
	{name: "uq_org_units_code", change: `alter table org_units rename constraint org_units_code_key to uq_org_units_code`},
	{name: "index renamed", change: `alter index ix_tasks_creator rename to ix_tasks_created_by`},
	{name: "no triggers", change: `drop trigger trg_users_updated_at on users; drop trigger trg_submissions_touch on submissions`},
	{name: "no touch function", change: `drop function touch_updated_at() cascade`},
	{name: "no views", change: `drop view audits, v_rh_users`},
	{name: "no check", change: `alter table tasks drop constraint chk_tasks_priority`},
	{name: "no foreign key", change: `alter table submissions add column x text; alter table submissions drop column x; alter table app_logs drop constraint app_logs_user_id_fkey`},
	{name: "nullable and without default", change: `alter table automation_audits alter column kind drop not null, alter column at drop default`},
	{name: "missing roles and units", change: `delete from roles where name in ('daf', 'dfq', 'dnr'); delete from org_units where code in ('AGEPAR', 'AGEPAR-TI', 'TI-INFRA')`},
	{name: "an unvalidated check", change: `
		alter table tasks drop constraint chk_tasks_priority,
			add constraint chk_tasks_priority check (priority in ('baixa', 'media', 'alta', 'urgente')) not valid`},
	{name: "somebody else's schema", change: `create schema reporting; create table reporting.users (id integer)`},

	{name: "two published alerts", blocked: "missing index public.platform_alerts.ux_platform_alerts_single_published", noStartup: true, change: `
		drop index ux_platform_alerts_single_published; update platform_alerts set status = 'published'`},
	{name: "duplicate e-mails", blocked: "missing constraint public.users.uq_users_email", noStartup: true, change: `
		alter table users drop constraint uq_users_email;
		update users set email = 'PESSOA.UM@example.org' where id in ('00000000-0000-4000-8000-000000000002', '00000000-0000-4000-8000-000000000003')`},
	{name: "duplicate CPFs", blocked: "missing constraint public.users.uq_users_cpf", change: `
		alter table users drop constraint uq_users_cpf;
		update users set cpf = '11122233301' where id = '00000000-0000-4000-8000-000000000004'`},
	{name: "smallint tce_ano", blocked: "different column public.employment_estagiario.tce_ano", change: `
		alter table employment_estagiario alter column tce_ano type smallint`},
	{name: "another generation expression", undoneBy: "no generated column", blocked: "different column public.employment_estagiario.limite_alerta_data", change: `
		alter table employment_estagiario drop column limite_alerta_data;
		alter table employment_estagiario add column limite_alerta_data date generated always as (coalesce(aditivo_novo_fim_data, fim_data) - 30) stored`},
	{name: "an extra check", blocked: "extra constraint public.employment.chk_employment_dates", change: `
		alter table employment add constraint chk_employment_dates check (end_date is null or end_date > '2000-01-01')`},
	{name: "an extra column", blocked: "extra column public.employment_efetivo.matricula", change: `
		alter table employment_efetivo add column matricula text default 'x'`},
	{name: "an extra index", blocked: "extra index public.employment.ix_employment_extra", change: `create index ix_employment_extra on employment (start_date)`},
	{name: "idx_org_units_name on lower(name)", blocked: "different index public.org_units.idx_org_units_name", change: `
		drop index idx_org_units_name; create index idx_org_units_name on org_units (lower(name::text))`},
	{name: "an extra table", blocked: "extra table public.rh_planilha", change: `create table rh_planilha (id integer primary key, nome text); insert into rh_planilha values (1, 'Segredo')`},
	{name: "a grant", blocked: "different table public.submissions", change: `grant select on submissions to public`},
	{name: "a changed function", blocked: "different function public.set_updated_at()", noStartup: true, change: `
		create or replace function set_updated_at() returns trigger language plpgsql as $$ begin new.updated_at := clock_timestamp(); return new; end $$`},
	{name: "a renamed column", blocked: "renamed column public.users.rg", noStartup: true, change: `alter table users rename column rg to registro_geral`},
	{name: "rows against a check", blocked: "missing constraint public.efetivo_giti.efetivo_giti_percentual_check", change: `
		alter table efetivo_giti drop constraint efetivo_giti_percentual_check; update efetivo_giti set percentual = 11`},
	{name: "orphans", blocked: "missing constraint public.task_events.task_events_task_id_fkey", change: `
		alter table task_events drop constraint task_events_task_id_fkey; update task_events set task_id = gen_random_uuid()`},
	{name: "nulls", undoneBy: "no fileshare_items", blocked: "different column public.fileshare_items.path", change: `
		alter table fileshare_items alter column path drop not null; update fileshare_items set path = null`},
	{name: "no column whose default differs by row", blocked: "missing column public.auth_sessions.csrf_token", change: `alter table auth_sessions drop column csrf_token`},
	{name: "no column that must have a value", undoneBy: "no notifications", blocked: "missing column public.notifications.title", change: `alter table notifications drop column title`},
	{name: "no generated column", blocked: "missing column public.employment_estagiario.limite_alerta_data", change: `alter table employment_estagiario drop column limite_alerta_data`},
	{name: "a disabled trigger", undoneBy: "no touch function", blocked: "different trigger public.tasks.trg_tasks_touch", noStartup: true, change: `alter table tasks disable trigger trg_tasks_touch`},
	{name: "the name of an index taken", blocked: "extra index public.roles.ix_tasks_due_date, missing index public.tasks.ix_tasks_due_date", change: `
		drop index ix_tasks_due_date; create index ix_tasks_due_date on roles (created_at)`},
	{name: "a value too long for its index", blocked: "missing index public.submissions.ix_submissions_kind_payload_numero", noStartup: true, change: `
		drop index ix_submissions_kind_payload_numero;
		insert into submissions (id, kind, version, payload, status) select 'longo', 'dfd', '1', jsonb_build_object('numero', string_agg(md5(i::text), '')), 'done' from generate_series(1, 200) i`},
}

func adopt(t testing.TB, engine *schema.Engine, options schema.AdoptOptions) schema.Adoption {
	t.Helper()
	a, err := engine.Adopt(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// wantUnchanged checks that neither the schema nor a row is another one.
func wantUnchanged(t testing.TB, url string, schemaBefore catalog.Catalog, before map[string]contents, when string) {
	t.Helper()
	after, err := open(t, url, migrations.FS).Catalog(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(schemaBefore, after); diff != "" {
		t.Errorf("%s changed the schema:\n%s", when, diff)
	}
	if diff := cmp.Diff(before, readContents(t, url, nil), cmp.AllowUnexported(contents{})); diff != "" {
		t.Errorf("%s changed rows:\n%s", when, diff)
	}
	if scan[bool](t, connect(t, url), `select to_regclass('public.goose_db_version') is not null or to_regnamespace('portaldb') is not null`) {
		t.Errorf("%s left something behind", when)
	}
}

// wantRows checks that every row is as it was and none came along, but for the reference rows of a new table.
func wantRows(t testing.TB, url string, before map[string]contents) {
	t.Helper()
	after := readContents(t, url, before)
	for table, was := range before {
		now := map[string]int{}
		for _, row := range after[table].rows {
			now[row]++
		}
		for _, row := range was.rows {
			if now[row]--; now[row] < 0 {
				t.Errorf("%s lost or changed %s", table, row)
			}
		}
		if got := len(after[table].rows) - len(was.rows); got != 0 {
			t.Errorf("%s has %d rows more", table, got)
		}
	}
	for table, c := range after {
		_, there := before[table]
		if reference := table == "roles" || table == "org_units"; !there && reference != (len(c.rows) > 0) {
			t.Errorf("the new table %s has %d rows", table, len(c.rows))
		}
	}
}

// wantTakenOver takes a database over and checks all that must hold before, during and after; the way up from there too
// where whole says so.
func wantTakenOver(t testing.TB, url string, blocked []string, startup, whole bool) {
	t.Helper()
	engine := openWith(t, schema.Config{URL: url, FS: migrations.FS, Actor: schema.Actor{Name: "somebody@somewhere"}})
	schemaBefore, err := engine.Catalog(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	before := readContents(t, url, nil)

	dry := adopt(t, engine, schema.AdoptOptions{})
	wantUnchanged(t, url, schemaBefore, before, "the dry run")
	var left []catalog.Difference
	for _, b := range dry.Blocked {
		left = append(left, b.Difference)
		if b.Why == "" || b.SQL == "" {
			t.Errorf("nothing says what to do about %s: %+v", b.Difference.Object, b)
		}
	}
	slices.Sort(blocked)
	if diff := cmp.Diff(append([]string{}, blocked...), named(left)); diff != "" || dry.State != schema.StateLegacy {
		t.Fatalf("state %s; left to a person (-want +got):\n%s", dry.State, diff)
	}
	text, err := json.Marshal(dry)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range secrets {
		if strings.Contains(string(text), secret) {
			t.Errorf("%q is in the output: %s", secret, text)
		}
	}
	if len(left) > 0 {
		var refused *schema.RefusedError
		if _, err := engine.Adopt(t.Context(), schema.AdoptOptions{Apply: true}); !errors.As(err, &refused) {
			t.Fatalf("got %v, want a refusal", err)
		}
		wantUnchanged(t, url, schemaBefore, before, "the refused adopt")
		for i := range left {
			left[i].Reason = "a reason"
		}
	}

	done := adopt(t, engine, schema.AdoptOptions{Apply: true, Accept: left})
	if done.State != schema.StateAdopted || !done.Applied || done.Version != schema.Baseline {
		t.Fatalf("got %+v", done)
	}
	wantRows(t, url, before)
	check := func(when string, version int64) {
		t.Helper()
		v := verify(t, engine)
		if diff := cmp.Diff(named(left), named(v.Differences)); diff != "" || v.Drift() || v.Version != version {
			t.Errorf("%s at version %d, drift %v (-accepted +found):\n%s", when, v.Version, v.Drift(), diff)
		}
	}
	check("adopted", schema.Baseline)
	kept := slices.DeleteFunc(slices.Clone(dry.ReferenceRows), func(d catalog.Difference) bool {
		_, there := before[strings.Split(d.Object, ".")[1]]
		return !there
	})
	if diff := cmp.Diff(named(kept), named(verify(t, engine).ReferenceRows)); diff != "" {
		t.Errorf("reference rows that were edited or taken out (-before +now):\n%s", diff)
	}
	schemaAfter, err := engine.Catalog(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	again := adopt(t, engine, schema.AdoptOptions{Apply: true, Accept: left})
	if again.State != schema.StateAdopted || again.Applied || len(again.Repair) > 0 {
		t.Errorf("the second run: %+v", again)
	}
	wantRows(t, url, before)

	db := connect(t, url)
	for _, file := range []string{"legacy_startup.sql", "legacy_statements.sql"} {
		if file == "legacy_startup.sql" && !startup {
			continue
		}
		script, err := os.ReadFile("../../migrations/testdata/" + file)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := db.ExecContext(t.Context(), string(script)); err != nil {
			t.Errorf("%s: %v", file, err)
		}
		now, err := engine.Catalog(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range catalog.Diff(schemaAfter, now) {
			t.Errorf("%s changed the schema: %+v", file, d)
		}
	}
	if whole {
		if _, err := engine.Up(t.Context(), 0); err != nil {
			t.Fatal(err)
		}
		check("up to date", engine.Latest())
	}
	if _, err := engine.VerifyHistory(t.Context()); err != nil {
		t.Error(err)
	}
	if n := scan[int](t, db, `select count(*) from portaldb.history where actor = 'somebody@somewhere (adopt)' and outcome = 'done' and version <= $1`, schema.Baseline); n != schema.Baseline {
		t.Errorf("the history has %d versions that were taken over, want %d", n, schema.Baseline)
	}
}

func TestEngine_Adopt_variants(t *testing.T) {
	t.Parallel()
	for _, v := range variants {
		t.Run(v.name, func(t *testing.T) {
			t.Parallel()
			var blocked []string
			if v.blocked != "" {
				blocked = strings.Split(v.blocked, ", ")
			}
			wantTakenOver(t, legacyDatabase(t, legacyHead, v.change), blocked, !v.noStartup, !testing.Short())
		})
	}
	t.Run("2025-12", func(t *testing.T) {
		t.Parallel()
		wantTakenOver(t, legacyDatabase(t, legacy2025), nil, true, true)
	})
}

// TestEngine_Adopt_combinations draws sets of variants, which meet in one database.
func TestEngine_Adopt_combinations(t *testing.T) {
	t.Parallel()
	draws := 60
	if testing.Short() {
		draws = 4
	}
	t.Logf("%d combinations", draws)
	for seed := range draws {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(uint64(seed), 0))
			var names, blocked []string
			var there []variant
			startup := true
			url := legacyDatabase(t, legacyHead)
			for _, i := range random.Perm(len(variants))[:2+random.IntN(len(variants)/2)] {
				v := variants[i]
				db := connect(t, url)
				if _, err := db.ExecContext(t.Context(), v.change); err != nil {
					continue // it does not go with those before it
				}
				names = append(names, v.name)
				there = append(slices.DeleteFunc(there, func(earlier variant) bool { return earlier.undoneBy == v.name }), v)
			}
			for _, v := range there {
				startup = startup && !v.noStartup
				if v.blocked != "" {
					blocked = append(blocked, strings.Split(v.blocked, ", ")...)
				}
			}
			t.Logf("%q", names)
			wantTakenOver(t, url, blocked, startup, true)
		})
	}
}

// TestEngine_Adopt_dropped_objects drops the objects of the baseline one by one: each is put back as it was.
func TestEngine_Adopt_dropped_objects(t *testing.T) {
	t.Parallel()
	url := pgtest.Empty(t)
	engine := open(t, url, migrations.FS)
	if _, err := engine.Up(t.Context(), schema.Baseline); err != nil {
		t.Fatal(err)
	}
	whole, err := engine.Catalog(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	db := connect(t, url)
	exec := func(sql string) {
		t.Helper()
		if _, err := db.ExecContext(t.Context(), sql); err != nil {
			t.Fatalf("%v, in: %s", err, sql)
		}
	}
	exec(`drop schema portaldb cascade; drop table goose_db_version`)
	dropped := 0
	for i, o := range whole.Objects() {
		name := o.Key().QualifiedName()
		always := []string{"extension", "function", "view"}
		if testing.Short() && i%25 != 0 && !slices.Contains(always, o.Kind) && name != "public.roles" && name != "public.org_units" {
			continue
		}
		exec(`delete from org_units; delete from roles`) // no rows, so that a column that must not be null can be put back
		switch o.Kind {
		case "column":
			if _, ok := whole[catalog.Key{Kind: "table", Parent: "public", Name: strings.TrimPrefix(o.Parent, "public.")}]; !ok {
				continue // of a view
			}
			exec(fmt.Sprintf(`alter table %s drop column %s cascade`, o.Parent, o.Name))
		case "constraint":
			exec(fmt.Sprintf(`alter table %s drop constraint %s cascade`, o.Parent, o.Name))
		case "index":
			exec(`drop index ` + o.Name)
		case "trigger":
			exec(fmt.Sprintf(`drop trigger %s on %s`, o.Name, o.Parent))
		case "enum":
			exec(`drop type ` + name + ` cascade`)
		default:
			exec(fmt.Sprintf(`drop %s %s cascade`, o.Kind, name))
		}
		dropped++
		a, err := engine.Adopt(t.Context(), schema.AdoptOptions{Apply: true})
		if err != nil {
			t.Fatalf("without %s %s: %v; left %+v; repair %+v", o.Kind, name, err, a.Blocked, a.Repair)
		}
		v := verify(t, engine)
		if len(v.Differences) > 0 {
			t.Fatalf("without %s %s, this is left: %+v", o.Kind, name, v.Differences)
		}
		for _, table := range []string{"public.roles", "public.org_units"} {
			isMissing := slices.ContainsFunc(v.ReferenceRows, func(d catalog.Difference) bool { return strings.HasPrefix(d.Object, table+".") })
			if isNew := o.Kind == "table" && name == table; isNew == isMissing {
				t.Errorf("without %s %s, are reference rows of %s missing: %v", o.Kind, name, table, isMissing)
			}
		}
		exec(`drop schema portaldb cascade; drop table goose_db_version`)
	}
	t.Logf("%d objects dropped", dropped)
}

func TestEngine_Adopt_other_states(t *testing.T) {
	t.Parallel()

	t.Run("empty", func(t *testing.T) {
		t.Parallel()
		url := pgtest.Empty(t)
		execute(t, url, `create table of_somebody (id integer)`)
		for _, apply := range []bool{false, true} {
			if a := adopt(t, open(t, url, migrations.FS), schema.AdoptOptions{Apply: apply}); a.State != schema.StateEmpty || a.Applied {
				t.Errorf("got %+v", a)
			}
		}
	})

	t.Run("of portaldb", func(t *testing.T) {
		t.Parallel()
		url := pgtest.New(t)
		engine := open(t, url, migrations.FS)
		if a := adopt(t, engine, schema.AdoptOptions{Apply: true}); a.State != schema.StateAdopted || a.Applied || a.Version != engine.Latest() {
			t.Errorf("got %+v", a)
		}
	})

	t.Run("under a hold", func(t *testing.T) {
		t.Parallel()
		engine := open(t, legacyDatabase(t, legacyHead), migrations.FS)
		if _, err := engine.Hold(t.Context(), "an incident", nil); err != nil {
			t.Fatal(err)
		}
		var refused *schema.RefusedError
		if _, err := engine.Adopt(t.Context(), schema.AdoptOptions{Apply: true}); !errors.As(err, &refused) || !strings.Contains(err.Error(), "an incident") {
			t.Errorf("got %v", err)
		}
	})

	t.Run("as a login that owns nothing", func(t *testing.T) {
		t.Parallel()
		url := legacyDatabase(t, legacyHead)
		superuser := pgtest.Superuser(t, url)
		database := scan[string](t, connect(t, url), `select quote_ident(current_database())`)
		owner := scan[string](t, connect(t, url), `select current_user`)
		execute(t, superuser, `
			do $$ begin create role adopt_deployer login password 'deployer'; exception when duplicate_object then null; end $$;
			grant connect on database `+database+` to adopt_deployer`)
		deployer := openWith(t, schema.Config{URL: withLogin(t, url, "adopt_deployer", "deployer"), FS: migrations.FS})
		refused := func(want string) {
			t.Helper()
			var refusal *schema.RefusedError
			if _, err := deployer.Adopt(t.Context(), schema.AdoptOptions{Apply: true}); !errors.As(err, &refusal) || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want %q", err, want)
			}
		}
		refused("grant " + owner + " to adopt_deployer")
		execute(t, superuser, `grant `+owner+` to adopt_deployer`)
		// A member of the owner takes over, and what is new belongs to the owner.
		execute(t, url, `drop table fileshare_items`)
		adopt(t, deployer, schema.AdoptOptions{Apply: true})
		if v := verify(t, deployer); v.Drift() {
			t.Errorf("got %+v", v.Differences)
		}
		if got := scan[string](t, connect(t, url), `select tableowner from pg_tables where tablename = 'fileshare_items'`); got != owner {
			t.Errorf("the new table belongs to %s, want %s", got, owner)
		}
		execute(t, superuser, `drop schema portaldb cascade; drop table public.goose_db_version; revoke `+owner+` from adopt_deployer`)
	})

	t.Run("somebody changes the schema meanwhile", func(t *testing.T) {
		t.Parallel()
		url := legacyDatabase(t, legacyHead, `drop index ix_submissions_payload_gin`)
		var once bool
		engine := openWith(t, schema.Config{URL: url, FS: migrations.FS, Progress: func(e schema.Event) {
			if e.Sending != nil && !once {
				once = true
				execute(t, url, `alter table tasks add column more text`)
			}
		}})
		_, err := engine.Adopt(t.Context(), schema.AdoptOptions{Apply: true})
		var failed *schema.MigrationError
		if !errors.As(err, &failed) || !strings.Contains(err.Error(), "extra column public.tasks.more") || !strings.Contains(failed.State, "nothing changed but the indexes") {
			t.Fatalf("got %v, %+v", err, failed)
		}
		if scan[bool](t, connect(t, url), `select to_regclass('public.goose_db_version') is not null or to_regnamespace('portaldb') is not null`) {
			t.Error("the failed adopt left something behind")
		}
		// The index stays, and is not built again.
		execute(t, url, `alter table tasks drop column more`)
		if a := adopt(t, engine, schema.AdoptOptions{Apply: true}); len(a.Repair) != 0 || !a.Applied {
			t.Errorf("got %+v", a)
		}
	})

	t.Run("a duplicate comes in while its index is built", func(t *testing.T) {
		t.Parallel()
		url := legacyDatabase(t, legacyHead, `alter table users drop constraint uq_users_email`)
		duplicate := `insert into users (name, email) values ('Segredo', 'pessoa.um@example.org')`
		var once bool
		engine := openWith(t, schema.Config{URL: url, FS: migrations.FS, Progress: func(e schema.Event) {
			if e.Sending != nil && !once {
				once = true
				execute(t, url, duplicate)
			}
		}})
		_, err := engine.Adopt(t.Context(), schema.AdoptOptions{Apply: true})
		var failed *schema.MigrationError
		if !errors.As(err, &failed) || failed.SQLState() != "23505" || failed.State != "nothing changed." {
			t.Fatalf("got %v, %+v", err, failed)
		}
		for _, secret := range secrets {
			if strings.Contains(err.Error()+failed.Statement, secret) {
				t.Errorf("%q is in the message: %v", secret, err)
			}
		}
		if scan[bool](t, connect(t, url), `select to_regclass('public.uq_users_email') is not null`) {
			t.Error("an invalid unique index is left, which may turn rows away")
		}
	})

	t.Run("an interrupted run left an invalid index", func(t *testing.T) {
		t.Parallel()
		url := legacyDatabase(t, legacyHead, `
			alter table users drop constraint uq_users_email;
			create unique index uq_users_email on users (email);
			drop index ix_submissions_payload_gin; create index ix_submissions_payload_gin on submissions using gin (payload)`)
		execute(t, pgtest.Superuser(t, url), `update pg_index set indisvalid = false where indexrelid in ('public.uq_users_email'::regclass, 'public.ix_submissions_payload_gin'::regclass)`)
		wantTakenOver(t, url, nil, false, true)
	})

	t.Run("a table's lock is not free", func(t *testing.T) {
		t.Parallel()
		url := legacyDatabase(t, legacyHead, `alter table tasks drop constraint chk_tasks_priority`)
		tx, err := connect(t, url).BeginTx(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tx.ExecContext(t.Context(), `select count(*) from tasks`); err != nil {
			t.Fatal(err)
		}
		engine := openWith(t, schema.Config{URL: url, FS: migrations.FS, LockTimeout: 300 * time.Millisecond, RetryFor: time.Millisecond})
		_, err = engine.Adopt(t.Context(), schema.AdoptOptions{Apply: true})
		var failed *schema.MigrationError
		if !errors.As(err, &failed) || !failed.LockNotAvailable() || failed.State != "nothing changed." {
			t.Fatalf("got %v, %+v", err, failed)
		}
		if err := tx.Rollback(); err != nil {
			t.Fatal(err)
		}
		adopt(t, engine, schema.AdoptOptions{Apply: true})
	})

	t.Run("without the baseline", func(t *testing.T) {
		t.Parallel()
		var refused *schema.RefusedError
		if _, err := open(t, pgtest.Empty(t), files("create table a ();")).Adopt(t.Context(), schema.AdoptOptions{}); !errors.As(err, &refused) {
			t.Errorf("got %v", err)
		}
	})
}

// TestEngine_Adopt_with_writers takes a database over while others write to the three central tables: none of them fails.
func TestEngine_Adopt_with_writers(t *testing.T) {
	t.Parallel()
	url := legacyDatabase(t, legacyHead, `
		drop index ix_submissions_payload_gin, ix_submissions_kind_created, ix_automation_audits_at, ix_fileshare_owner;
		drop trigger trg_submissions_touch on submissions;
		alter table submissions drop constraint chk_submissions_status;
		alter table automation_audits alter column kind drop not null;
		alter table fileshare_items alter column downloads drop default;
		insert into submissions (id, kind, version, payload, status)
		select 'bulk ' || i, 'dfd', '1', jsonb_build_object('numero', i), 'done' from generate_series(1, 20000) i`)
	db := connect(t, url)
	ctx, stop := context.WithCancel(t.Context())
	var group errgroup.Group
	written := make([]int, 3)
	for i, statements := range [][]string{
		{`insert into submissions (id, kind, version, payload, status) values ('w' || $1::int, 'dfd', '1', '{"numero": 1}', 'queued')`,
			`update submissions set status = 'done', result = '{}' where id = 'w' || $1::int`},
		{`insert into automation_audits (kind, action, meta) values ('writer', 'x', jsonb_build_object('sid', $1::int))`},
		{`insert into fileshare_items (id, filename, size, path, expires_at, downloads) values ('w' || $1::int, 'f', 1, '/f', now(), 0)`,
			`update fileshare_items set downloads = downloads + 1 where id = 'w' || $1::int`},
	} {
		group.Go(func() error {
			for n := 0; ctx.Err() == nil; n++ {
				for _, statement := range statements {
					if _, err := db.ExecContext(context.WithoutCancel(ctx), statement, n); err != nil {
						return fmt.Errorf("%s: %w", statement, err)
					}
				}
				written[i]++
			}
			return nil
		})
	}
	waitFor(t, func() bool {
		return scan[int](t, db, `select count(*) from automation_audits where kind = 'writer'`) > 10
	})
	engine := open(t, url, migrations.FS)
	a := adopt(t, engine, schema.AdoptOptions{Apply: true})
	stop()
	if err := group.Wait(); err != nil {
		t.Errorf("a writer failed: %v", err)
	}
	if len(a.Repair) < 8 || !a.Applied {
		t.Errorf("got %+v", a)
	}
	for i, query := range []string{
		`select count(*) from submissions where id like 'w%' and kind = 'dfd' and status = 'done' and version = '1' and payload = '{"numero": 1}' and result = '{}'`,
		`select count(*) from automation_audits where kind = 'writer'`,
		`select count(*) from fileshare_items where id like 'w%' and downloads = 1`,
	} {
		if got := scan[int](t, db, query); got != written[i] {
			t.Errorf("%d rows of %d written: %s", got, written[i], query)
		}
	}
	t.Logf("written meanwhile: %d", written)
	if v := verify(t, engine); v.Drift() {
		t.Errorf("got %+v", v.Differences)
	}
}

// TestEngine_Adopt_plan looks at what a person reads.
func TestEngine_Adopt_plan(t *testing.T) {
	t.Parallel()
	url := legacyDatabase(t, legacyHead, `
		alter table platform_alerts rename constraint platform_alerts_level_check to chk_platform_alerts_level;
		alter table users drop constraint uq_users_email;
		alter table users drop column saldo_ferias_ano;
		drop table notification_recipients, notifications;
		delete from roles where name = 'daf'`)
	a := adopt(t, open(t, url, migrations.FS), schema.AdoptOptions{})
	var got []string
	for _, r := range a.Repair {
		first, _, _ := strings.Cut(r.SQL, "\n")
		where := "before"
		if r.Tx {
			where = "tx"
		}
		var locks []string
		for _, l := range r.Locks {
			locks = append(locks, l.String())
		}
		got = append(got, fmt.Sprintf("%s: %s [%s]", where, first, strings.Join(locks, "; ")))
	}
	want := []string{
		"before: create unique index concurrently uq_users_email on public.users using btree (email) [SHARE UPDATE EXCLUSIVE on public.users, reads all of it]",
		"tx: alter table public.platform_alerts rename constraint chk_platform_alerts_level to platform_alerts_level_check [ACCESS EXCLUSIVE on public.platform_alerts]",
		"tx: alter table public.users add column saldo_ferias_ano integer default (EXTRACT(year FROM now()))::integer not null [ACCESS EXCLUSIVE on public.users]",
		"tx: CREATE TABLE public.notifications ( [SHARE ROW EXCLUSIVE on public.users]",
		"tx: CREATE INDEX ix_notifications_created_at ON public.notifications (created_at DESC) []",
		"tx: CREATE TABLE public.notification_recipients ( [SHARE ROW EXCLUSIVE on public.users]",
		"tx: CREATE INDEX ix_notification_recipients_user ON public.notification_recipients (user_id) []",
		"tx: CREATE INDEX ix_notification_recipients_user_unread ON public.notification_recipients (user_id) WHERE read_at IS NULL []",
		"tx: alter table public.users add constraint uq_users_email unique using index uq_users_email [ACCESS EXCLUSIVE on public.users]",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("repair (-want +got):\n%s", diff)
	}
}

// TestEngine_Adopt_rows_in_the_way looks at the keys that a person is given, and at the SQL.
func TestEngine_Adopt_rows_in_the_way(t *testing.T) {
	t.Parallel()
	byName := map[string]variant{}
	for _, v := range variants {
		byName[v.name] = v
	}
	url := legacyDatabase(t, legacyHead, byName["duplicate e-mails"].change, byName["two published alerts"].change, `
		alter table submissions drop constraint chk_submissions_status;
		insert into submissions (id, kind, version, payload, status) values ('111.222.333-01 pessoa@example.org', 'x', '1', '{}', 'deleted')`)
	a := adopt(t, open(t, url, migrations.FS), schema.AdoptOptions{})
	got := map[string][]string{}
	for _, b := range a.Blocked {
		got[b.Difference.Object] = append([]string{b.SQL}, b.Rows...)
	}
	const user = "id = '00000000-0000-4000-8000-00000000000"
	const alert = "id = '00000000-0000-4000-8000-00000000050"
	want := map[string][]string{
		"public.users.uq_users_email": {
			"-- look at them:\nselect id, email from public.users\nwhere " + user + "1'\n   or " + user + "2'\n   or " + user + "3';\n" +
				"-- then leave the value to one row of each group, for example:\nupdate public.users set email = null\nwhere " + user + "2'\n   or " + user + "3'",
			user + "1'; " + user + "2'; " + user + "3'"},
		"public.platform_alerts.ux_platform_alerts_single_published": {
			"-- leave one alert published, and close the others, for example:\nupdate public.platform_alerts set status = 'closed', closed_at = now()\nwhere " +
				alert + "2'\n   or " + alert + "3'",
			alert + "1'; " + alert + "2'; " + alert + "3'"},
		"public.submissions.chk_submissions_status": {
			"-- correct these rows, or accept that it is missing:\nselect * from public.submissions\nwhere id = '*** ***'", "id = '*** ***'"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	// The SQL does what it says: after it, and after the third was corrected by hand, nothing is blocked.
	for _, object := range slices.Sorted(maps.Keys(want))[:3] {
		if object != "public.submissions.chk_submissions_status" {
			execute(t, url, want[object][0])
		}
	}
	execute(t, url, `update submissions set status = 'done' where status = 'deleted'`)
	if a := adopt(t, open(t, url, migrations.FS), schema.AdoptOptions{Apply: true}); !a.Applied {
		t.Errorf("got %+v", a)
	}
}
