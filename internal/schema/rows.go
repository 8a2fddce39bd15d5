package schema

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Unfilled is a table for which no rows could be made.
type Unfilled struct {
	Table  string `json:"table"`
	Reason string `json:"reason"`
}

// generateRows puts up to count rows into each of some tables, by their object identifiers, referred ones before those that
// refer, and returns those that it could not put any into. It keeps what is there. The same seed makes the same rows, another one
// others. Every table gets one INSERT ... SELECT.
//
// Values come from the columns' types: a few ways to make each, so that one of them meets what a CHECK asks, with the constants
// that stand in the CHECKs among them. Each row takes some way for each column; rows which hold for all checks are put in, and
// those that a unique index already has are left out. References take existing keys. What the server makes (generated,
// identity and serial columns) is left to it. No value is null that need not be: a later SET NOT NULL finds none.
func generateRows(ctx context.Context, tx pgx.Tx, tables []uint32, count int, seed int64) (map[uint32]Unfilled, error) {
	all, err := readRowTables(ctx, tx)
	if err != nil {
		return nil, err
	}
	unfilled := map[uint32]Unfilled{}
	for _, oid := range referredFirst(all, tables) {
		table := all[oid]
		if table.partitioned || table.foreign {
			continue // its partitions are filled
		}
		why, err := table.fill(ctx, tx, all, count, seed)
		if err != nil {
			return nil, err
		}
		if why != "" {
			unfilled[oid] = Unfilled{Table: table.name, Reason: why}
		}
	}
	return unfilled, nil
}

// rowTable is a table as the generator sees it.
type rowTable struct {
	name                 string
	partitioned, foreign bool
	// deferrable tells that a unique constraint cannot be asked before the row is in.
	deferrable bool
	columns    []*rowColumn
	keys       []rowKeyRef
	checks     []rowCheck
}

type rowColumn struct {
	number  int
	name    string // quoted as SQL needs it
	typ     string // as declared, or what a domain is over
	base    string // without length or precision
	kind    string // pg_type.typtype: b, e, r
	element string // of an array
	subtype string // of a range
	modifier,
	precision, scale int
	notNull bool
	// made tells that the server makes the value.
	made     bool
	literals []string
}

// rowKeyRef is a foreign key.
type rowKeyRef struct {
	columns, refers []int
	table           uint32
}

type rowCheck struct {
	condition string
	columns   []int
}

// referredFirst orders tables so that what a table refers to comes before it; of a circle some table comes first.
func referredFirst(all map[uint32]*rowTable, tables []uint32) []uint32 {
	wanted := map[uint32]bool{}
	for _, oid := range tables {
		if all[oid] != nil {
			wanted[oid] = true
		}
	}
	byTable := func(a, b uint32) int { return strings.Compare(all[a].name, all[b].name) }
	var order []uint32
	var visit func(uint32)
	visit = func(oid uint32) {
		if !wanted[oid] {
			return
		}
		delete(wanted, oid)
		for _, key := range all[oid].keys {
			visit(key.table)
		}
		order = append(order, oid)
	}
	for _, oid := range slices.SortedFunc(maps.Keys(wanted), byTable) {
		visit(oid)
	}
	return order
}

// candidates is how many rows are thought of for each that is wanted: few, and where none of them holds for the checks many,
// before the table counts as one that cannot be filled.
var candidates = []int{5, 200}

// fill inserts the rows, and says why there are none.
func (t *rowTable) fill(ctx context.Context, tx pgx.Tx, all map[uint32]*rowTable, count int, seed int64) (why string, err error) {
	values := map[int]string{} // by column number, over the row's number g.n
	for _, c := range t.columns {
		if !c.made {
			values[c.number] = c.value(seed)
		}
	}
	var joins []string
	referred := map[int]bool{}
	for i, key := range t.keys {
		if slices.ContainsFunc(key.columns, func(n int) bool { return referred[n] || t.column(n) == nil || t.column(n).made }) {
			continue // another key of the same column has been chosen already, or the server makes it
		}
		other := all[key.table]
		if other == nil {
			continue
		}
		if other == t {
			for j, n := range key.columns {
				values[n] = "null"
				if t.column(n).notNull {
					values[n] = values[key.refers[j]] // the row itself
				}
			}
			continue
		}
		var exist int64
		names := make([]string, len(key.refers))
		for j, n := range key.refers {
			names[j] = other.column(n).name
		}
		list := strings.Join(names, ", ")
		if err := tx.QueryRow(ctx, `select count(*) from `+other.name).Scan(&exist); err != nil {
			return "", fmt.Errorf("look for rows of %s: %w", other.name, err)
		}
		if exist == 0 {
			for _, n := range key.columns {
				if t.column(n).notNull {
					return "it refers to " + other.name + ", which has no rows", nil
				}
				values[n] = "null"
			}
			continue
		}
		alias := fmt.Sprintf("k%d", i)
		joins = append(joins, fmt.Sprintf(`join (select %s, row_number() over (order by %s) - 1 as place from %s) %s on %s.place = (g.n + %d) %% %d`,
			list, list, other.name, alias, alias, seed&0xffff, exist))
		for j, n := range key.columns {
			values[n], referred[n] = alias+"."+names[j], true
		}
	}

	var names, selected []string
	for _, c := range t.columns {
		if value, ok := values[c.number]; ok {
			names, selected = append(names, c.name), append(selected, fmt.Sprintf("(%s)::%s as %s", value, c.typ, c.name))
		}
	}
	conditions := []string{"true"}
	for _, check := range t.checks {
		if !slices.ContainsFunc(check.columns, func(n int) bool { _, ok := values[n]; return !ok }) {
			conditions = append(conditions, "("+check.condition+") is not false")
		}
	}
	var inserted int64
	for _, factor := range candidates {
		insert := fmt.Sprintf("insert into %s default values", t.name)
		if len(names) > 0 {
			conflict := "on conflict do nothing"
			if t.deferrable {
				conflict = ""
			}
			insert = fmt.Sprintf("insert into %s (%s) select %s from (select %s from generate_series(1, %d) g (n) %s order by g.n) made where %s limit %d %s",
				t.name, strings.Join(names, ", "), strings.Join(names, ", "), strings.Join(selected, ", "), count*factor, strings.Join(joins, "\n"),
				strings.Join(conditions, " and "), count, conflict)
		}
		err = pgx.BeginFunc(ctx, tx, func(tx pgx.Tx) error { // a savepoint
			tag, err := tx.Exec(ctx, insert)
			inserted = tag.RowsAffected()
			return err
		})
		if err != nil || inserted > 0 || len(conditions) == 1 {
			break
		}
	}
	var pgErr *pgconn.PgError
	switch {
	case errors.As(err, &pgErr) && serverSaid(err):
		return cause(err), nil
	case err != nil:
		return "", fmt.Errorf("fill %s: %w", t.name, err)
	case inserted > 0:
		return "", nil
	}
	var exists bool
	if err := tx.QueryRow(ctx, `select exists (select from `+t.name+`)`).Scan(&exists); err != nil {
		return "", fmt.Errorf("look for rows of %s: %w", t.name, err)
	}
	if exists {
		return "", nil // the unique indexes have all that can be made
	}
	return "no row of those that were made holds for its checks; put some into testdata/rows", nil
}

func (t *rowTable) column(number int) *rowColumn {
	for _, c := range t.columns {
		if c.number == number {
			return c
		}
	}
	return nil
}

// value is an expression for the column in row g.n: one of the ways to make it, which differs by row where there are several.
func (c *rowColumn) value(seed int64) string {
	ways := c.ways(seed)
	if len(ways) == 0 {
		// A type of an extension, say: what it reads of a number, if anything.
		return "g.n::text"
	}
	if len(ways) == 1 {
		return ways[0]
	}
	var b strings.Builder
	fmt.Fprintf(&b, "case mod(abs(hashtextextended(g.n::text, %d)), %d)", seed+int64(c.number), len(ways))
	for i, way := range ways {
		fmt.Fprintf(&b, " when %d then (%s)::%s", i, way, c.typ)
	}
	return b.String() + " end"
}

// ways are the expressions that make values of the column's type. A column that no check looks at has one, and it is unique
// where the type allows.
func (c *rowColumn) ways(seed int64) []string {
	hash := fmt.Sprintf("md5(g.n || ' %d %d')", seed, c.number)
	number := fmt.Sprintf("g.n + %d", seed&0xffff)
	var ways []string
	switch c.base {
	case "text", "character varying", "character", "citext", "name", `"char"`:
		ways = []string{"g.n || '-' || " + hash}
		if c.literals != nil {
			ways = append(ways, hash, "lpad(("+number+")::text, 11, '0')", "'name' || g.n || '@example.org'", "upper("+hash+")", "'https://example.org/' || g.n",
				hash+"::uuid::text", "'{}'", "'1'", "''")
			for _, literal := range c.literals {
				if strings.HasPrefix(literal, "'") {
					ways = append(ways, literal, literal)
				} else if len(literal) < 4 && !strings.Contains(literal, ".") {
					ways = append(ways, "lpad(("+number+")::text, "+literal+", '0')")
				}
			}
		}
	case "smallint", "integer", "bigint", "numeric", "real", "double precision", "oid", "money":
		ways = []string{number}
		switch c.base {
		case "smallint":
			ways = []string{"(" + number + ") % 32767"}
		case "numeric", "real", "double precision":
			ways = []string{number + " + 0.25"}
		}
		if c.literals != nil {
			ways = append(ways, "1", "0", "g.n % 10", "g.n % 100", "2000 + g.n % 100")
			if c.base != "smallint" && c.base != "integer" && c.base != "bigint" {
				ways = append(ways, "(g.n % 97) / 97.0")
			}
			for _, literal := range c.literals {
				if !strings.HasPrefix(literal, "'") {
					ways = append(ways, literal, literal+" + 1", literal+" - 1")
				}
			}
		}
		if c.base == "numeric" && c.precision > 0 {
			for i, way := range ways { // what is too large for the column would be an error
				ways[i] = fmt.Sprintf("trunc(((%s)::numeric) %% (10::numeric ^ %d), %d)", way, max(c.precision-c.scale, 0), max(c.scale, 0))
			}
		}
	case "boolean":
		ways = []string{"g.n % 2 = 0"}
		if c.literals != nil {
			ways = []string{"true", "false"}
		}
	case "date", "timestamp without time zone", "timestamp with time zone":
		ways = []string{"timestamptz '2026-01-01 00:00+00' + g.n * interval '61 minutes'"}
		if c.literals != nil {
			ways = append(ways, "timestamptz '2020-01-01 00:00+00' + g.n * interval '61 minutes'", "timestamptz '2035-01-01 00:00+00' + g.n * interval '61 minutes'")
			for _, literal := range c.literals {
				if dateLike.MatchString(literal) {
					ways = append(ways, literal+"::timestamptz", literal+"::timestamptz + g.n * interval '1 minute'", literal+"::timestamptz - g.n * interval '1 minute'")
				}
			}
		}
	case "time without time zone", "time with time zone":
		ways = []string{"time '00:00' + g.n * interval '1 minute'"}
	case "interval":
		ways = []string{"g.n * interval '1 minute'"}
	case "uuid":
		ways = []string{hash + "::uuid"}
	case "json", "jsonb":
		ways = []string{"json_build_object('numero', g.n, 'v', " + hash + ")"}
		if c.literals != nil {
			ways = append(ways, "'{}'", "'[]'", `'"x"'`, "json_build_array("+hash+")")
		}
	case "bytea":
		ways = []string{"sha256(convert_to(" + hash + ", 'UTF8'))"}
		if c.literals != nil {
			ways = append(ways, "decode("+hash+", 'hex')", "convert_to("+hash+", 'UTF8')", `'\x'`)
		}
	case "inet":
		ways = []string{"inet '10.0.0.0' + g.n"}
	case "cidr":
		ways = []string{"set_masklen(inet '10.0.0.0' + g.n, 32)::cidr"}
	case "macaddr":
		ways = []string{"('02' || substr(" + hash + ", 1, 10))::macaddr"}
	case "macaddr8":
		ways = []string{"('02' || substr(" + hash + ", 1, 14))::macaddr8"}
	case "bit", "bit varying":
		ways = []string{fmt.Sprintf("lpad('1', %d, '0')", max(c.modifier, 1))}
	case "point":
		ways = []string{"point(g.n, g.n)"}
	case "xml":
		ways = []string{"('<n>' || g.n || '</n>')::xml"}
	case "tsvector":
		ways = []string{"('w' || g.n)::tsvector"}
	default:
		switch {
		case c.element != "":
			element := rowColumn{number: c.number, base: c.element, typ: c.element, kind: "b"}
			ways = []string{"array[" + element.value(seed) + "]"}
			if c.literals != nil {
				ways = append(ways, "'{}'")
				for _, literal := range c.literals {
					if strings.HasPrefix(literal, "'") && !strings.ContainsAny(literal, `{}`) {
						ways = append(ways, "array["+literal+"]")
					}
				}
			}
		case c.kind == "e":
			ways = []string{fmt.Sprintf("(enum_range(null::%s))[1 + g.n %% cardinality(enum_range(null::%s))]", c.typ, c.typ)}
		case c.kind == "r":
			sub := rowColumn{number: c.number, base: c.subtype, typ: c.subtype, kind: "b"}
			ways = []string{fmt.Sprintf("%s((%s)::%s, (%s)::%s, '[]')", c.base, sub.value(seed), c.subtype, sub.value(seed), c.subtype)}
		case !c.notNull:
			ways = []string{"null"}
		}
	}
	if c.literals != nil && !c.notNull {
		ways = append(ways, "null")
	}
	return ways
}

var (
	dateLike = regexp.MustCompile(`^'\d{4}-\d\d-\d\d`)
	constant = regexp.MustCompile(`'(?:[^']|'')*'|\b\d+(?:\.\d+)?\b`)
	value    = regexp.MustCompile(`\bVALUE\b`)
)

// take notes the constants of a check for the columns that it looks at. A column with a check has literals, if an empty list.
func (t *rowTable) take(check rowCheck) {
	t.checks = append(t.checks, check)
	found := constant.FindAllString(check.condition, -1)
	for _, n := range check.columns {
		if c := t.column(n); c != nil {
			c.literals = append(slices.Clip(append([]string{}, c.literals...)), found...)
			slices.Sort(c.literals)
			c.literals = slices.Compact(c.literals)
		}
	}
}

// readRowTables reads all tables that are not the system's.
func readRowTables(ctx context.Context, tx pgx.Tx) (map[uint32]*rowTable, error) {
	all := map[uint32]*rowTable{}
	each := func(query string, scans []any, then func()) error {
		rows, err := tx.Query(ctx, query)
		if err == nil {
			_, err = pgx.ForEachRow(rows, scans, func() error { then(); return nil })
		}
		if err != nil {
			return fmt.Errorf("read the tables to fill: %w", err)
		}
		return nil
	}
	var oid, refers uint32
	var name, kind, condition, domainCheck string
	var deferrable bool
	err := each(`
		select c.oid, format('%I.%I', n.nspname, c.relname), c.relkind::text, coalesce(pg_get_partition_constraintdef(c.oid), ''), exists (
			select from pg_constraint u where u.conrelid = c.oid and u.contype in ('p', 'u', 'x') and u.condeferrable)
		from pg_class c join pg_namespace n on n.oid = c.relnamespace
		where c.relkind in ('r', 'p', 'f') and `+ownSchemas, []any{&oid, &name, &kind, &condition, &deferrable}, func() {
		all[oid] = &rowTable{name: name, partitioned: kind == "p", foreign: kind == "f", deferrable: deferrable}
		if condition != "" {
			all[oid].checks = []rowCheck{{condition: condition}}
		}
	})
	if err != nil {
		return nil, err
	}
	var c rowColumn
	domains := map[uint32][]struct{ column, condition string }{}
	err = each(`
		with recursive down as ( -- from a domain, or a type, to what it is over
			select oid as top, oid, typbasetype, typtype, typtypmod as own, null::integer as modifier, typnotnull from pg_type
			union all
			select d.top, t.oid, t.typbasetype, t.typtype, t.typtypmod, d.own, d.typnotnull or t.typnotnull
			from down d join pg_type t on t.oid = d.typbasetype where d.typtype = 'd'
		),
		base as (select top as oid, oid as base, modifier, typnotnull as not_null from down where typtype <> 'd')
		select a.attrelid, a.attnum::int, quote_ident(a.attname), format_type(b.base, coalesce(b.modifier, a.atttypmod)), format_type(b.base, null),
		       t.typtype::text, case when t.typcategory = 'A' then format_type(t.typelem, null) else '' end,
		       coalesce((select format_type(r.rngsubtype, null) from pg_range r where r.rngtypid = t.oid), ''),
		       coalesce(b.modifier, a.atttypmod), a.attnotnull or b.not_null,
		       a.attgenerated <> '' or a.attidentity <> '' or coalesce(pg_get_expr(d.adbin, d.adrelid) like 'nextval(%', false),
		       coalesce((select string_agg(pg_get_constraintdef(k.oid), E'\x01') from pg_constraint k where k.contypid in (select oid from down where top = a.atttypid) and k.contype = 'c'), '')
		from pg_attribute a
		join pg_class c on c.oid = a.attrelid and c.relkind in ('r', 'p')
		join pg_namespace n on n.oid = c.relnamespace
		join base b on b.oid = a.atttypid
		join pg_type t on t.oid = b.base
		left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
		where a.attnum > 0 and not a.attisdropped and `+ownSchemas+`
		order by a.attrelid, a.attnum`,
		[]any{&oid, &c.number, &c.name, &c.typ, &c.base, &c.kind, &c.element, &c.subtype, &c.modifier, &c.notNull, &c.made, &domainCheck}, func() {
			column := c
			if column.base == "numeric" && column.modifier >= 4 {
				column.precision, column.scale = (column.modifier-4)>>16, (column.modifier-4)&0x7ff
			}
			t := all[oid]
			if t == nil {
				return
			}
			t.columns = append(t.columns, &column)
			if domainCheck != "" {
				domains[oid] = append(domains[oid], struct{ column, condition string }{column.name, domainCheck})
			}
		})
	if err != nil {
		return nil, err
	}
	for oid, list := range domains {
		for _, d := range list {
			i := slices.IndexFunc(all[oid].columns, func(c *rowColumn) bool { return c.name == d.column })
			for _, definition := range strings.Split(d.condition, "\x01") {
				condition := value.ReplaceAllString(strings.TrimSuffix(strings.TrimPrefix(definition, "CHECK "), " NOT VALID"), d.column)
				all[oid].take(rowCheck{condition: condition, columns: []int{all[oid].columns[i].number}})
			}
		}
	}
	for _, t := range all {
		for _, partition := range t.checks { // so far it is the only one
			if partition.columns == nil {
				for _, c := range t.columns {
					if strings.Contains(partition.condition, c.name) {
						partition.columns = append(partition.columns, c.number)
					}
				}
				t.checks = slices.DeleteFunc(t.checks, func(check rowCheck) bool { return check.columns == nil })
				t.take(partition)
			}
		}
	}
	var columns, others []int
	err = each(`select conrelid, pg_get_expr(conbin, conrelid), coalesce(conkey, '{}')::int[] from pg_constraint where contype = 'c' and conrelid <> 0 order by oid`,
		[]any{&oid, &condition, &columns}, func() {
			if t := all[oid]; t != nil {
				t.take(rowCheck{condition: condition, columns: slices.Clone(columns)})
			}
		})
	if err != nil {
		return nil, err
	}
	err = each(`select conrelid, conkey::int[], confkey::int[], confrelid from pg_constraint where contype = 'f' and conparentid = 0 order by cardinality(conkey) desc, oid`,
		[]any{&oid, &columns, &others, &refers}, func() {
			if t := all[oid]; t != nil {
				t.keys = append(t.keys, rowKeyRef{columns: slices.Clone(columns), refers: slices.Clone(others), table: refers})
			}
		})
	return all, err
}
