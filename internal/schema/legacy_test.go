package schema_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	"portaldb/internal/pgtest"
	"portaldb/internal/schema"
	"portaldb/migrations"
)

// The two catalogs of databases that the legacy scripts made.
const (
	legacyHead = "../../migrations/testdata/catalog-head.json"
	legacy2025 = "testdata/catalog-2025-12.json"
)

// legacyCatalog is what a test needs of such a file.
type legacyCatalog struct {
	Tables map[string]struct {
		Columns []struct {
			Name, Type         string
			NotNull            bool `json:"not_null"`
			Default, Generated *string
		}
		PrimaryKey  legacyObject   `json:"primary_key"`
		Unique      []legacyObject `json:"unique"`
		Check       []legacyObject `json:"check"`
		ForeignKeys []legacyObject `json:"foreign_keys"`
		Indexes     []legacyObject
		Triggers    []legacyObject
	}
	Enums     map[string][]string
	Sequences map[string]struct {
		Type    string
		OwnedBy string `json:"owned_by"`
	}
	Seed struct {
		Roles    []struct{ Name, Description string }
		OrgUnits []struct {
			Code, Name string
			ParentCode *string `json:"parent_code"`
		} `json:"org_units"`
	}
}

type legacyObject struct {
	Name, Definition string
	BacksConstraint  *string `json:"backs_constraint"`
}

// legacySQL writes the script that makes such a database, constraints and all under their legacy names.
func legacySQL(t testing.TB, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var c legacyCatalog
	if err := json.Unmarshal(data, &c); err != nil {
		t.Fatal(err)
	}
	var b, late strings.Builder
	b.WriteString("create extension pgcrypto; create extension citext;\n")
	for name, values := range c.Enums {
		fmt.Fprintf(&b, "create type %s as enum ('%s');\n", name, strings.Join(values, "', '"))
	}
	b.WriteString(`
		create function set_updated_at() returns trigger language plpgsql as $$ BEGIN NEW.updated_at := now(); RETURN NEW; END $$;
		create function touch_updated_at() returns trigger language plpgsql as $$ BEGIN NEW.updated_at = now(); RETURN NEW; END; $$;
	`)
	for name, s := range c.Sequences {
		fmt.Fprintf(&b, "create sequence %s as %s;\n", name, s.Type)
		fmt.Fprintf(&late, "alter sequence %s owned by %s;\n", name, s.OwnedBy)
	}
	for _, name := range slices.Sorted(maps.Keys(c.Tables)) {
		table := c.Tables[name]
		var parts []string
		for _, column := range table.Columns {
			part := column.Name + " " + column.Type
			if column.Default != nil {
				part += " default " + *column.Default
			}
			if column.Generated != nil {
				part += " generated always as (" + *column.Generated + ") stored"
			}
			if column.NotNull {
				part += " not null"
			}
			parts = append(parts, part)
		}
		for _, o := range append(append(table.Unique, table.Check...), table.PrimaryKey) {
			parts = append(parts, "constraint "+o.Name+" "+o.Definition)
		}
		fmt.Fprintf(&b, "create table %s (%s);\n", name, strings.Join(parts, ", "))
		for _, o := range table.ForeignKeys {
			fmt.Fprintf(&late, "alter table %s add constraint %s %s;\n", name, o.Name, o.Definition)
		}
		for _, o := range table.Indexes {
			if o.BacksConstraint == nil {
				late.WriteString(o.Definition + ";\n")
			}
		}
		for _, o := range table.Triggers {
			late.WriteString(o.Definition + ";\n")
		}
	}
	b.WriteString(late.String())
	b.WriteString(`
		create view audits as
		select id, at as created_at, actor_user_id as user_id, action, object_type, object_id, message, metadata from audit_events;
		create view v_rh_users as
		select u.id::text as id, u.name as nome_completo, u.cpf, u.email as email_principal, u.email_institucional,
			u.telefone_principal, u.ramal, u.endereco, u.dependentes_qtde, u.formacao_nivel_medio, u.status as status_usuario,
			e.type as tipo_vinculo, e.status as status_vinculo, e.inactivity_reason as motivo_inatividade, ou.code as org_code, ou.name as org_name
		from users u left join employment e on e.user_id = u.id and e.end_date is null left join org_units ou on ou.id = e.org_unit_id;
	`)
	for _, role := range c.Seed.Roles {
		fmt.Fprintf(&b, "insert into roles (name, description) values ('%s', nullif('%s', ''));\n", role.Name, role.Description)
	}
	for _, unit := range c.Seed.OrgUnits { // sorted by code, and so parents first
		parent := ""
		if unit.ParentCode != nil {
			parent = *unit.ParentCode
		}
		fmt.Fprintf(&b, "insert into org_units (parent_id, code, name) select (select id from org_units where code = '%s'), '%s', '%s';\n", parent, unit.Code, unit.Name)
	}
	b.WriteString(`
		insert into users (name, email, is_superuser, attrs, must_change_password) values ('Dev Admin', 'dev@local', true, '{"seed": true}', false);
		insert into user_roles (user_id, role_id) select u.id, r.id from users u, roles r where r.name = 'admin';
	`)
	return b.String()
}

// Rows that no output may show anything of.
const legacyUsers = `
	insert into users (id, cpf, email, name, status, rg) values
		('00000000-0000-4000-8000-000000000001', '11122233301', 'pessoa.um@example.org', 'Segredo Um', 'active', '1.234.567-8'),
		('00000000-0000-4000-8000-000000000002', '11122233302', 'pessoa.dois@example.org', 'Segredo Dois', 'blocked', null),
		('00000000-0000-4000-8000-000000000003', null, 'pessoa.tres@example.org', 'Segredo Três', 'active', null),
		('00000000-0000-4000-8000-000000000004', null, null, 'Segredo Quatro', 'pending', null);`

// secrets are parts of them.
var secrets = []string{"111222333", "pessoa", "Segredo", "example.org"}

// legacyDatabase makes a database as the legacy scripts left it, with rows in every table, and changes it.
func legacyDatabase(t testing.TB, path string, changes ...string) string {
	t.Helper()
	database := pgtest.Empty(t)
	db := connect(t, database)
	exec := func(sql string) {
		t.Helper()
		if _, err := db.ExecContext(t.Context(), sql); err != nil {
			t.Fatalf("%v, in: %s", err, sql)
		}
	}
	exec(legacySQL(t, path))
	exec(legacyUsers)
	effects, err := schema.Effects(migrations.FS)
	if err != nil {
		t.Fatal(err)
	}
	for version := 6; version <= schema.Baseline; version++ {
		exists := true
		for _, o := range effects[version-1].Added {
			exists = exists && (o.Kind != "table" || scan[bool](t, db, `select to_regclass($1) is not null`, o.Key().QualifiedName()))
		}
		rows, err := os.ReadFile(fmt.Sprintf("../../migrations/testdata/rows/%05d.sql", version))
		if err == nil && exists {
			exec(string(rows))
		}
	}
	for _, change := range changes {
		exec(change)
	}
	return database
}

// contents are the rows of a table, in the columns that it has.
type contents struct {
	columns string
	rows    []string
}

// readContents reads all tables of the portal; columns names them where they were read before.
func readContents(t testing.TB, database string, before map[string]contents) map[string]contents {
	t.Helper()
	db := connect(t, database)
	all := map[string]contents{}
	for _, table := range strings.Fields(scan[string](t, db, `
		select coalesce(string_agg(tablename, ' '), '') from pg_tables where schemaname = 'public' and tablename <> 'goose_db_version'`)) {
		columns := before[table].columns
		if columns == "" {
			columns = scan[string](t, db, `
				select string_agg(quote_ident(attname), ', ' order by attnum) from pg_attribute
				where attrelid = $1::regclass and attnum > 0 and not attisdropped`, table)
		}
		rows := scan[string](t, db, fmt.Sprintf(`select coalesce(json_agg(row order by row), '[]') from (select row(%s)::text as row from %s) as r`, columns, table))
		c := contents{columns: columns}
		if err := json.Unmarshal([]byte(rows), &c.rows); err != nil {
			t.Fatal(err)
		}
		all[table] = c
	}
	return all
}

// withLogin is the URL of a database for another login.
func withLogin(t testing.TB, database, user, password string) string {
	t.Helper()
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword(user, password)
	return u.String()
}
