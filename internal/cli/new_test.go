package cli_test

import (
	"bytes"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pressly/goose/v3"

	"portaldb/internal/pgtest"
)

func TestNew(t *testing.T) {
	t.Parallel()
	dir := folder(t, map[string]string{"00001_create_a.sql": "-- +goose Up\ncreate table a ();\n-- +goose Down\ndrop table a;\n"})
	got := run(t, nil, "new", "improve_a_note", "--dir", dir, "--json")
	path := filepath.Join(dir, "00002_improve_a_note.sql")
	if v := got.object(t); got.code != 0 || v["version"] != 2.0 || v["file"] != path || len(v["traps"].([]any)) == 0 {
		t.Fatalf("code %d: %s%s", got.code, got.stdout, got.stderr)
	}
	for _, name := range []string{"", "one", "Add_note", "add note", "../add_note", "add_not\x00e", "add_\xff", "add_" + strings.Repeat("x", 200), "2_add"} {
		if got := run(t, nil, "new", name, "--dir", dir); got.code != 2 {
			t.Errorf("new %q: code %d", name, got.code)
		}
	}
	if files, err := filepath.Glob(filepath.Join(dir, "*")); err != nil || len(files) != 2 {
		t.Errorf("files: %v, %v", files, err)
	}
}

func TestNew_empty_folder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	got := run(t, nil, "new", "create_notes", "--dir", dir, "--json")
	if got.code != 0 || got.object(t)["file"] != filepath.Join(dir, "00001_create_notes.sql") {
		t.Errorf("code %d: %s%s", got.code, got.stdout, got.stderr)
	}
	wrong := folder(t, map[string]string{"notes.sql": "-- +goose Up\n"})
	if got := run(t, nil, "new", "create_notes", "--dir", wrong); got.code != 1 || !strings.Contains(got.stderr, "notes.sql: a migration is named NNNNN_verb_object.sql") {
		t.Errorf("a folder of wrong files: code %d: %s%s", got.code, got.stdout, got.stderr)
	}
}

// TestNew_untold writes what a name does not tell: a file that up refuses before it does anything, never half of a statement.
func TestNew_untold(t *testing.T) {
	t.Parallel()
	env := []string{"DATABASE_URL=" + pgtest.Empty(t)}
	for _, c := range []struct {
		name, trap string
		rules      []string
	}{
		{"improve_a_note", "this name does not", []string{"up-missing", "down-missing"}},
		{"add_a", "this name does not", []string{"up-missing", "down-missing"}},
		{"add_user_roles", "this name does not", []string{"up-missing", "down-missing"}},
		{"index_a", "this name does not", []string{"up-missing", "down-missing"}},
		{"backfill_a", "this name does not", []string{"up-missing", "down-missing"}},
		{"validate_a", "this name does not", []string{"up-missing", "down-missing"}},
		{"drop_index_a", "this name does not", []string{"up-missing", "down-missing"}},
		{"add_widgets_name", "this name does not", []string{"up-missing", "down-missing"}},
		{"drop_widgets", "this name does not", []string{"up-missing", "down-missing"}},
		{"drop_gone", "this name does not", []string{"up-missing", "down-missing"}},
		{"drop_comment", "this name does not", []string{"up-missing", "down-missing"}},
		{"create_view_names", "this name does not", []string{"up-missing", "down-missing"}},
		{"rename_a_name", "a rename breaks", []string{"up-missing", "down-missing"}},
		{"rename_a_to_c", "a rename breaks", []string{"up-missing", "down-missing"}},
		{"add_a_city_id_fkey", "does not tell the table", []string{"up-missing"}},
		{"drop_a_city_id_fk", "does not tell the table", []string{"drop-constraint-weakens", "down-missing"}},
		{"validate_a_city_id_fkey", "reads the whole table", []string{"down-missing"}},
	} {
		dir := folder(t, map[string]string{"00001_create_a.sql": `-- +goose Up
-- create table comment
create table a (id int, name text, city_id int);
create table if not exists "user" ();
create table user_roles ();
create table gone ();
drop table gone;
-- +goose Down
drop table user_roles, "user", a;
create table widgets ();
`})
		got := run(t, nil, "new", c.name, "--dir", dir)
		if got.code != 0 || !strings.Contains(got.stdout, c.trap) {
			t.Errorf("%s: code %d: %s%s", c.name, got.code, got.stdout, got.stderr)
		}
		path := filepath.Join(dir, "00002_"+c.name+".sql")
		body, err := os.ReadFile(path)
		if err != nil || !bytes.Contains(body, []byte("-- +goose Up\n-- Why:\n")) || !bytes.Contains(body, []byte("\n-- +goose Down\n")) {
			t.Errorf("%s: both halves are not there: %v\n%s", c.name, err, body)
		}
		if diff := cmp.Diff(c.rules, lintRules(t, path)); diff != "" {
			t.Errorf("lint of %s (-want +got):\n%s\n%s", c.name, diff, body)
		}
		if up := run(t, env, "up", "--dir", dir); up.code != 4 || !strings.Contains(up.stderr, "no statement") {
			t.Errorf("up takes %s: code %d, %s", c.name, up.code, up.stderr)
		}
	}
}

// lintRules are the rules that lint finds broken in a file, but for its header, which is to be filled in.
func lintRules(t testing.TB, path string) []string {
	rules := []string{}
	for _, f := range run(t, nil, "lint", path, "--json").object(t)["findings"].([]any) {
		rules = append(rules, f.(map[string]any)["rule"].(string))
	}
	return slices.DeleteFunc(rules, func(rule string) bool { return rule == "header-empty" })
}

// justify are the rules that what a kind of migration drops breaks until its author says why that is right.
var justify = []string{"drop-without-trash", "drop-constraint-weakens"}

// broughtIn ends the Down of a dropped table with what came after it was made.
var broughtIn = map[string]string{
	"drop_fruits":     "ALTER TABLE public.fruits ADD COLUMN name text;\nCREATE UNIQUE INDEX fruits_name_key ON public.fruits (name);\n",
	"drop_table_tags": "CREATE INDEX tags_actor_user_id_idx ON side.tags (actor_user_id);\nALTER TABLE side.tags ADD CONSTRAINT tags_actor_user_id_fkey FOREIGN KEY (actor_user_id) REFERENCES public.users (id) NOT VALID;\n",
}

// newCase is a name, what both halves of its file hold, and a trap.
type newCase struct{ name, up, down, trap string }

// climb writes a migration of every name, and each applies as it is.
func climb(t *testing.T, url, dir string, version int, cases []newCase) {
	t.Helper()
	for i, c := range cases {
		got := run(t, nil, "new", c.name, "--dir", dir)
		path := filepath.Join(dir, fmt.Sprintf("%05d_%s.sql", version+i, c.name))
		body, err := os.ReadFile(path)
		up, down, _ := strings.Cut(string(body), "-- +goose Down\n")
		if got.code != 0 || err != nil || !strings.HasPrefix(got.stdout, path+"\n") || !strings.Contains(got.stdout, c.trap) || !strings.Contains(up, c.up) || !strings.Contains(down, c.down) {
			t.Fatalf("%s: code %d, %v\n%s%s\n%s", c.name, got.code, err, got.stdout, got.stderr, body)
		}
		for _, rule := range lintRules(t, path) {
			if !strings.HasPrefix(c.name, "drop") || !slices.Contains(justify, rule) {
				t.Errorf("the pattern of %s is not safe: %v\n%s", c.name, rule, body)
			}
		}
		// The columns of a table, and what came after it was made, are for the file's author to bring in.
		authored := strings.Replace(string(body), "(name) VALUES (", "(id, name) VALUES (0, ", 1) + broughtIn[c.name]
		if err := os.WriteFile(path, []byte(authored), 0o600); err != nil {
			t.Fatal(err)
		}
		if up := run(t, []string{"DATABASE_URL=" + url}, "up", "--dir", dir); up.code != 0 {
			t.Fatalf("%s does not apply: %s\n%s", c.name, up.stderr, body)
		}
	}
}

// goBack takes the migrations back with plain goose.
func goBack(t *testing.T, db *sql.DB, dir string, version int64) {
	t.Helper()
	provider, err := goose.NewProvider(goose.DialectPostgres, db, os.DirFS(dir))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := provider.DownTo(t.Context(), version); err != nil {
		t.Errorf("the way back: %v", err)
	}
}

// TestNew_patterns writes a migration of every kind: each applies as it is, goes back, and comes with its traps.
func TestNew_patterns(t *testing.T) {
	t.Parallel()
	dir := folder(t, map[string]string{"00001_create_app_users.sql": `-- +goose Up
CREATE TABLE public.users (id uuid PRIMARY KEY, name text UNIQUE);
CREATE TABLE public.app_users (id bigint PRIMARY KEY, name text UNIQUE, nick text, user_id uuid);
CREATE TABLE public.app (id bigint PRIMARY KEY);
CREATE SCHEMA side;
CREATE TABLE side.app (id bigint PRIMARY KEY);
CREATE TABLE side.tags (
    id  bigint PRIMARY KEY, -- no table of its own
    app bigint REFERENCES public.app (id),
    actor_user_id uuid
);
CREATE INDEX tags_app_idx ON side.tags (app);
COMMENT ON TABLE side.tags IS 'a tag';
-- +goose StatementBegin
DO $$ BEGIN INSERT INTO public.app_users SELECT i, i FROM generate_series(1, 50000) i; END $$;
-- +goose StatementEnd
-- +goose Down
DROP SCHEMA side CASCADE;
DROP TABLE public.app, public.app_users, public.users;
`})
	url := pgtest.Empty(t)
	climb(t, url, dir, 2, []newCase{
		{"create_app_notes", "CREATE TABLE public.app_notes (", "DROP TABLE public.app_notes;", "constraint"},
		{"create_table_order", `CREATE TABLE public."order" (`, `DROP TABLE public."order";`, "constraint"},
		{"add_table_fruits", "CREATE TABLE public.fruits (", "DROP TABLE public.fruits;", "constraint"},
		{"add_app_users_nickname", "ALTER TABLE public.app_users ADD COLUMN nickname text;", "DROP COLUMN nickname;", "constant default"},
		{"add_column_app_users_table", `ALTER TABLE public.app_users ADD COLUMN "table" text;`, `DROP COLUMN "table";`, "constant default"},
		{"add_order_default", `ALTER TABLE public."order" ADD COLUMN "default" text;`, `DROP COLUMN "default";`, "constant default"},
		{"index_order_default", `CREATE INDEX CONCURRENTLY order_default_idx ON public."order" ("default");`, "DROP INDEX CONCURRENTLY public.order_default_idx;", "IF NOT EXISTS"},
		{"add_app_users_name_check", "ADD CONSTRAINT app_users_name_check CHECK (true) NOT VALID;", "DROP CONSTRAINT app_users_name_check;", "portaldb new validate_app_users_name_check"},
		{"validate_app_users_name_check", "ALTER TABLE public.app_users VALIDATE CONSTRAINT app_users_name_check;", "CHECK (true) NOT VALID;", "reads the whole table"},
		{"drop_app_users_name_check", "ALTER TABLE public.app_users DROP CONSTRAINT app_users_name_check;", "ADD CONSTRAINT app_users_name_check CHECK (true) NOT VALID;", "NOT VALID"},
		{"index_app_users_user_id", "CREATE INDEX CONCURRENTLY app_users_user_id_idx", "DROP INDEX CONCURRENTLY public.app_users_user_id_idx;", "2,700 bytes"}, // first, as the next one's trap says
		{"add_app_users_user_id_fkey", "FOREIGN KEY (user_id) REFERENCES public.users (id) NOT VALID;", "DROP CONSTRAINT app_users_user_id_fkey;", "index"},
		{"validate_app_users_user_id_fkey", "VALIDATE CONSTRAINT app_users_user_id_fkey;", "FOREIGN KEY (user_id) REFERENCES public.users (id) NOT VALID;", "reads the whole table"},
		{"drop_app_users_user_id_fkey", "DROP CONSTRAINT app_users_user_id_fkey;", "FOREIGN KEY (user_id) REFERENCES public.users (id) NOT VALID;", "definition in Down"},
		{"add_tags_actor_user_id_idx", "CREATE INDEX CONCURRENTLY tags_actor_user_id_idx ON side.tags (actor_user_id);", "DROP INDEX CONCURRENTLY side.tags_actor_user_id_idx;", "CONCURRENTLY"},
		{"add_side_tags_actor_user_id_fk", "ALTER TABLE side.tags ADD CONSTRAINT tags_actor_user_id_fkey FOREIGN KEY (actor_user_id) REFERENCES public.users (id) NOT VALID;", "DROP CONSTRAINT tags_actor_user_id_fkey;", "index"},
		{"index_app_users_nick", "CREATE INDEX CONCURRENTLY app_users_nick_idx ON public.app_users (nick);", "DROP INDEX CONCURRENTLY public.app_users_nick_idx;", "IF NOT EXISTS"},
		{"drop_app_users_nick_idx", "DROP INDEX CONCURRENTLY public.app_users_nick_idx;", "CREATE INDEX CONCURRENTLY app_users_nick_idx ON public.app_users (nick);", "pg_stat_user_indexes"},
		{"create_index_app_users_nick", "CREATE INDEX CONCURRENTLY app_users_nick_idx ON public.app_users (nick);", "DROP INDEX", "IF NOT EXISTS"},
		{"drop_index_app_users_nick", "DROP INDEX CONCURRENTLY public.app_users_nick_idx;", "CREATE INDEX CONCURRENTLY app_users_nick_idx ON public.app_users (nick);", "replicas"},
		{"add_index_app_users_nick", "CREATE INDEX CONCURRENTLY app_users_nick_idx ON public.app_users (nick);", "DROP INDEX", "IF NOT EXISTS"},
		{"add_app_users_user_id_unique", "CREATE UNIQUE INDEX CONCURRENTLY app_users_user_id_key ON public.app_users (user_id);", "DROP INDEX CONCURRENTLY public.app_users_user_id_key;", "UNIQUE USING INDEX"},
		{"add_fruits_name", "ALTER TABLE public.fruits ADD COLUMN name text;", "DROP COLUMN name;", "constant default"},
		{"add_fruits_name_key", "CREATE UNIQUE INDEX CONCURRENTLY fruits_name_key ON public.fruits (name);", "DROP INDEX CONCURRENTLY public.fruits_name_key;", "ALTER TABLE public.fruits ADD CONSTRAINT fruits_name_key UNIQUE USING INDEX fruits_name_key"},
		{"backfill_app_users_nick", "UPDATE public.app_users SET nick = ''", "SELECT 1;", "resumable"},
		{"seed_app_users_first", "INSERT INTO public.app_users (name)", "DELETE FROM public.app_users", "ON CONFLICT"},
		{"rename_app_users_nick_to_alias", "ALTER TABLE public.app_users ADD COLUMN alias text;", "DROP COLUMN alias;", "a rename breaks"},
		{"drop_app_users_nickname", "ALTER TABLE public.app_users DROP COLUMN nickname;", "ADD COLUMN nickname text;", "one release after"},
		{"drop_column_app_users_table", `DROP COLUMN "table";`, `ADD COLUMN "table" text;`, "one release after"},
		{"drop_app_users_name_key", "DROP CONSTRAINT app_users_name_key;", "ADD CONSTRAINT app_users_name_key UNIQUE (name);", "builds its index"},
		{"drop_fruits", "DROP TABLE public.fruits;", "CREATE TABLE public.fruits (\n    id ", "bring in what came after: 00024_add_fruits_name.sql, 00025_add_fruits_name_key.sql"},
		{"drop_table_tags", "DROP TABLE side.tags;", "-- As 00001_create_app_users.sql made it. Bring in what came after: 00016_add_tags_actor_user_id_idx.sql, 00017_add_side_tags_actor_user_id_fk.sql\n" +
			"CREATE TABLE side.tags (\n    id  bigint PRIMARY KEY, -- no table of its own\n    app bigint REFERENCES public.app (id),\n    actor_user_id uuid\n);\n\n" +
			"CREATE INDEX tags_app_idx ON side.tags (app);\n\nCOMMENT ON TABLE side.tags IS 'a tag';\n", "keeps the rows of a table whose creation"},
		{"drop_side_app", "DROP TABLE side.app;", "-- As 00001_create_app_users.sql made it.\nCREATE TABLE side.app (id bigint PRIMARY KEY);\n", "CASCADE"},
		{"drop_app", "DROP TABLE public.app;", "CREATE TABLE public.app (id bigint PRIMARY KEY);\n", "foreign keys to it"},
	})
	db, err := sql.Open("pgx", url)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var left int
	if err := db.QueryRowContext(t.Context(), `select count(*) from app_users where nick is null`).Scan(&left); err != nil || left != 1 { // the seed's
		t.Errorf("the backfill left %d rows, %v", left, err)
	}
	goBack(t, db, dir, 0)
}

// TestNew_effects writes migrations of the portal, whose folded effects know the columns and definitions.
func TestNew_effects(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("../../migrations")); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.sql"))
	if err != nil {
		t.Fatal(err)
	}
	head := len(files)
	for _, c := range []struct{ name, pattern string }{ // while every file has its effect
		{"add_users_api_key", "ADD COLUMN api_key text;"},
		{"add_users_email_institucional_key", "CREATE UNIQUE INDEX CONCURRENTLY users_email_institucional_key ON public.users (email_institucional);"},
	} {
		got := run(t, nil, "new", c.name, "--dir", dir, "--json")
		path := got.object(t)["file"].(string)
		if body, err := os.ReadFile(path); err != nil || !strings.Contains(string(body), c.pattern) {
			t.Errorf("%s: %v\n%s", c.name, err, body)
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
	url := pgtest.New(t)
	climb(t, url, dir, head+1, []newCase{
		{"drop_auth_sessions_ip", "DROP COLUMN ip;", "ADD COLUMN ip inet;", "one release after"},
		{"drop_users_saldo_ferias", "DROP COLUMN saldo_ferias;", "ADD COLUMN saldo_ferias integer DEFAULT 30 NOT NULL;", "one release after"},
		{"rename_users_rg_to_document", "ADD COLUMN document text;", "DROP COLUMN document;", "a rename breaks"},
		{"rename_users_id_funcional_to_functional_id", "ADD COLUMN functional_id bigint;", "DROP COLUMN functional_id;", "a rename breaks"},
		{"index_automation_audits_kind_actor_cpf", "ON public.automation_audits (kind, actor_cpf);", "DROP INDEX", "CONCURRENTLY"},
		{"drop_index_users_ix_users_nome", "DROP INDEX CONCURRENTLY public.ix_users_nome;", "CREATE INDEX CONCURRENTLY ix_users_nome ON public.users USING btree (name);", "CONCURRENTLY"},
		{"drop_users_status_check", "DROP CONSTRAINT users_status_check;", "ADD CONSTRAINT users_status_check CHECK ((status = ANY (ARRAY['active'::text, 'blocked'::text, 'pending'::text]))) NOT VALID;", "refused"},
		{"drop_constraint_users_uq_users_email", "DROP CONSTRAINT uq_users_email;", "ADD CONSTRAINT uq_users_email UNIQUE (email);", "refused"},
		{"drop_user_roles_role_id_fkey", "DROP CONSTRAINT user_roles_role_id_fkey;", "FOREIGN KEY (role_id) REFERENCES public.roles(id) ON DELETE CASCADE NOT VALID;", "refused"},
		{"add_service_api_tokens_note", "ALTER TABLE service.api_tokens ADD COLUMN note text;", "DROP COLUMN note;", "constant default"},
		{"drop_task_comments", "DROP TABLE public.task_comments;", "CREATE TABLE public.task_comments (", "foreign keys to it"},
	})
	db, err := sql.Open("pgx", url)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	goBack(t, db, dir, int64(head))
}
