package schema

import (
	"context"
	"fmt"
	"maps"
	"math/bits"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"portaldb/internal/catalog"
)

// contents are the rows of a database's tables and the positions of its sequences, by object identifier.
type contents struct {
	tables    map[uint32]tableRows
	sequences map[uint32]sequence
}

// tableRows is what one table holds itself, partitions and heirs aside.
type tableRows struct {
	name    string
	columns []tableColumn
	// rows has a hash for each column of each row.
	rows [][]int64
}

type tableColumn struct {
	number int // stays when the column is renamed
	name   string
	// typ tells whether values can be compared.
	typ string
	// given tells a column whose value comes from the server: by a default that is called, as a number or a time, or as a
	// reference to such a key. It differs each time that the same row is inserted.
	given bool
}

type sequence struct {
	position string
	// owned tells a sequence of some column, which goes with it.
	owned bool
}

// ownSchemas is the condition on pg_namespace n for what is neither the system's nor the engine's.
const ownSchemas = `n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'portaldb', 'portaldb_trash')`

// readContents reads the tables and sequences. Of tables that old has and that touched, unless it is nil, does not, the rows
// are taken from there. Generated columns are left out: they are made anew from the others.
func readContents(ctx context.Context, conn *pgx.Conn, old contents, touched map[uint32]bool) (contents, error) {
	found := contents{tables: map[uint32]tableRows{}, sequences: map[uint32]sequence{}}
	rows, err := conn.Query(ctx, `
		with key as materialized (
			select conrelid, conkey[1] as number, confrelid, confkey[1] as refers from pg_constraint
			where contype = 'f' and cardinality(conkey) = 1
		),
		called as materialized (
			select a.attrelid, a.attnum from pg_attribute a left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
			where a.attidentity <> '' or pg_get_expr(d.adbin, d.adrelid) ~ '\w\(|CURRENT_|LOCALTIME'
		)
		select c.oid, format('%I.%I', n.nspname, c.relname), a.attnum::int, quote_ident(a.attname), format_type(a.atttypid, a.atttypmod),
		       exists (select from called d where d.attrelid = c.oid and d.attnum = a.attnum) or exists (
		           select from key join called d on d.attrelid = key.confrelid and d.attnum = key.refers
		           where key.conrelid = c.oid and key.number = a.attnum)
		from pg_class c
		join pg_namespace n on n.oid = c.relnamespace
		join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
		where c.relkind in ('r', 'p') and `+ownSchemas+` and not exists (
			select from pg_depend e where e.classid = 'pg_class'::regclass and e.objid = c.oid and e.deptype = 'e')
		order by c.oid, a.attnum`)
	if err != nil {
		return contents{}, fmt.Errorf("list the tables: %w", err)
	}
	var oid uint32
	var table string
	var column tableColumn
	_, err = pgx.ForEachRow(rows, []any{&oid, &table, &column.number, &column.name, &column.typ, &column.given}, func() error {
		t := found.tables[oid]
		t.name, t.columns = table, append(t.columns, column)
		found.tables[oid] = t
		return nil
	})
	if err != nil {
		return contents{}, fmt.Errorf("list the tables: %w", err)
	}
	for _, oid := range slices.Sorted(maps.Keys(found.tables)) {
		t := found.tables[oid]
		if before, ok := old.tables[oid]; ok && touched != nil && !touched[oid] {
			before.name = t.name // its schema may have been renamed, which locks no table
			found.tables[oid] = before
			continue
		}
		if t.rows, err = readHashes(ctx, conn, t); err != nil {
			return contents{}, fmt.Errorf("read the rows of %s: %w", t.name, err)
		}
		found.tables[oid] = t
	}
	rows, err = conn.Query(ctx, `
		select c.oid, coalesce(pg_sequence_last_value(c.oid)::text, ''), exists (
			select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.refobjsubid > 0 and d.deptype in ('a', 'i'))
		from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.relkind = 'S' and `+ownSchemas)
	if err != nil {
		return contents{}, fmt.Errorf("read the sequences: %w", err)
	}
	var s sequence
	_, err = pgx.ForEachRow(rows, []any{&oid, &s.position, &s.owned}, func() error {
		found.sequences[oid] = s
		return nil
	})
	if err != nil {
		return contents{}, fmt.Errorf("read the sequences: %w", err)
	}
	return found, nil
}

func readHashes(ctx context.Context, conn *pgx.Conn, t tableRows) ([][]int64, error) {
	hashes := make([]string, len(t.columns))
	for i, c := range t.columns {
		hashes[i] = `coalesce(hashtextextended(` + c.name + `::text collate "C", 0), 0)`
	}
	rows, err := conn.Query(ctx, `select array[`+strings.Join(hashes, ", ")+`]::bigint[] from only `+t.name)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[[]int64])
}

// changed tells the tables of which the rows are not the same, or that are not in both.
func (c contents) changed(after contents) map[uint32]bool {
	changed := map[uint32]bool{}
	for oid, was := range c.tables {
		now, ok := after.tables[oid]
		if !ok || len(was.rows) != len(now.rows) || len(was.missing(now, byNumber)) > 0 {
			changed[oid] = true
		}
	}
	return changed
}

// matching pairs a column with its like in a list of columns; -1 where there is none.
type matching func(tableColumn, []tableColumn) int

// byNumber pairs columns of one table, which may have been renamed; byName also those of a table that was made anew.
func byNumber(c tableColumn, others []tableColumn) int {
	return slices.IndexFunc(others, func(o tableColumn) bool { return o.number == c.number })
}

func byName(c tableColumn, others []tableColumn) int {
	return slices.IndexFunc(others, func(o tableColumn) bool { return o.name == c.name })
}

// missing are the rows that now does not have, by their places: compared in the columns of both that have the same type.
func (t tableRows) missing(now tableRows, match matching) []int {
	if t.same(now) {
		return nil
	}
	var mine, theirs []int
	for i, c := range t.columns {
		if j := match(c, now.columns); j >= 0 && now.columns[j].typ == c.typ {
			mine, theirs = append(mine, i), append(theirs, j)
		}
	}
	return without(t.rows, mine, now.rows, theirs)
}

// without are the places of rows, told by some columns, that are not among others, told by theirs.
func without(rows [][]int64, columns []int, others [][]int64, otherColumns []int) []int {
	count := make(map[uint64]int, len(others))
	for _, row := range others {
		count[rowKey(row, otherColumns)]++
	}
	var missing []int
	for i, row := range rows {
		key := rowKey(row, columns)
		if count[key]--; count[key] < 0 {
			missing = append(missing, i)
		}
	}
	return missing
}

// same reports whether both are one reading of a table, which nothing has touched in between.
func (t tableRows) same(other tableRows) bool {
	return len(t.rows) == len(other.rows) && (len(t.rows) == 0 || &t.rows[0] == &other.rows[0])
}

// rowKey mixes the hashes of some columns of a row into one.
func rowKey(row []int64, columns []int) uint64 {
	key := uint64(14695981039346656037)
	for _, i := range columns {
		key = bits.RotateLeft64((key^uint64(row[i]))*0x9e3779b97f4a7c15, 29) //nolint:gosec // any bits do
	}
	return key
}

// gone reports whether a column of the table is not in now, or holds other values there under another type.
func (t tableRows) gone(now tableRows, match matching) (dropped, converted bool) {
	for i, c := range t.columns {
		switch j := match(c, now.columns); {
		case j < 0:
			dropped = true
		case now.columns[j].typ != c.typ:
			converted = converted || len(without(t.rows, []int{i}, now.rows, []int{j})) > 0
		}
	}
	return dropped, converted
}

// lost reports whether the table had rows that now does not have whole.
func (t tableRows) lost(now tableRows, match matching) bool {
	dropped, _ := t.gone(now, match)
	return len(t.rows) > 0 && (dropped || len(t.missing(now, match)) > 0)
}

// named finds a table by its name; empty when there is none.
func (c contents) named(name string) tableRows {
	for _, t := range c.tables {
		if t.name == name {
			return t
		}
	}
	return tableRows{}
}

// lost are the tables whose rows are not all in after, nor, by their names, in back: the rows after a
// Down, nil where there is none.
func (c contents) lost(after contents, back *contents) []string {
	var names []string
	for oid, t := range c.tables {
		_, converted := t.gone(after.tables[oid], byNumber) // the way back tells whether other values are a loss
		if t.lost(after.tables[oid], byNumber) || back != nil && t.lost(back.named(t.name), byName) || back == nil && converted {
			names = append(names, t.name)
		}
	}
	slices.Sort(names)
	return names
}

// reversal judges what a Down did to data, from the rows before the Up, after it, after the Down, and after the Up again,
// which is nil where the Up would not run again. truncated are the tables that the Down emptied by TRUNCATE.
func reversal(before, up, down contents, again *contents, truncated map[uint32]bool) catalog.Reversal {
	class := catalog.NoData
	for oid, t := range up.tables {
		now, stays := down.tables[oid]
		if !stays {
			class = catalog.DataKept
			continue
		}
		if truncated[oid] || len(t.missing(now, byNumber)) > 0 && !putInAgain(before.tables[oid], t, now, again) {
			return catalog.DataLost
		}
		if dropped, converted := t.gone(now, byNumber); dropped || converted {
			class = catalog.DataKept
		}
	}
	for oid, s := range up.sequences {
		now, stays := down.sequences[oid]
		if stays && now.position != s.position || !stays && !s.owned {
			return catalog.DataLost
		}
	}
	return class
}

// putInAgain reports whether the rows that a Down took from a table are those that the Up had put in, and puts in again.
func putInAgain(before, up, down tableRows, again *contents) bool {
	if again == nil || len(before.missing(up, byNumber)) > 0 || len(before.missing(down, byNumber)) > 0 {
		return false
	}
	repeated := again.named(up.name)
	return len(up.said(repeated)) == 0 && len(repeated.said(up)) == 0
}

// said are the places of the rows that other does not have, compared by what was said when they were inserted.
func (t tableRows) said(other tableRows) []int {
	var mine, theirs []int
	for i, c := range t.columns {
		if j := byName(c, other.columns); j >= 0 && !c.given {
			mine, theirs = append(mine, i), append(theirs, j)
		}
	}
	return without(t.rows, mine, other.rows, theirs)
}
