package schema

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"portaldb/internal/catalog"
)

// listedRows is how many keys of rows that stand in the way are listed.
const listedRows = 50

// hasRows reports whether a table has any row.
func (p *repairer) hasRows(ctx context.Context, table string) (exists bool, err error) {
	err = p.db.QueryRowContext(ctx, `select exists (select from `+table+`)`).Scan(&exists)
	return exists, err
}

// primaryKey lists the key columns of a live table; none where it has no primary key.
func (p *repairer) primaryKey(table string) []string {
	for key, o := range p.live {
		if columns, ok := strings.CutPrefix(o.Attrs["definition"], "PRIMARY KEY ("); ok && key.Kind == "constraint" && key.Parent == table {
			return splitTop(strings.TrimSuffix(columns, ")"))
		}
	}
	return nil
}

// keyText is an expression that names a row of a table by its key, as SQL to find it again.
func (p *repairer) keyText(table string) string {
	columns := p.primaryKey(table)
	if len(columns) == 0 {
		return `'ctid = ' || quote_literal(ctid)`
	}
	parts := make([]string, len(columns))
	for i, c := range columns {
		parts[i] = fmt.Sprintf("'%s = ' || quote_literal(%s)", strings.ReplaceAll(c, "'", "''"), c)
	}
	return strings.Join(parts, " || ' and ' || ")
}

// rowsInTheWay blocks a difference when the query has rows. The query gives, for each, a text of keys and how many rows
// that are, the most listedRows of them being listed; fix is made of the listed keys.
func (p *repairer) rowsInTheWay(ctx context.Context, d catalog.Difference, why, query string, fix func(rows []string) string) (bool, error) {
	rows, err := p.db.QueryContext(ctx, `select keys, sum(n) over () from (`+query+`) as found order by keys limit `+fmt.Sprint(listedRows))
	if err != nil {
		return false, err
	}
	defer rows.Close()
	b := Blocked{Difference: d, Why: why, Rows: []string{}}
	for rows.Next() {
		var keys string
		if err := rows.Scan(&keys, &b.RowCount); err != nil {
			return false, err
		}
		b.Rows = append(b.Rows, mask(keys))
	}
	if err := rows.Err(); err != nil || len(b.Rows) == 0 {
		return false, err
	}
	b.SQL = fix(b.Rows)
	p.blocked = append(p.blocked, b)
	return true, nil
}

var personal = regexp.MustCompile(`\b\d{3}\.?\d{3}\.?\d{3}-?\d{2}\b|[^\s'@]+@[^\s'@]+`)

// mask hides what looks like a CPF or an e-mail address; keys may be any text.
func mask(text string) string { return personal.ReplaceAllString(text, "***") }

// indexParts takes the definition of a btree index apart: what its entries are, and which rows have one. ok is false for
// forms that no migration up to the baseline has.
func indexParts(definition string) (expressions []string, where string, ok bool) {
	rest, ok := strings.CutPrefix(definition, "btree (")
	if !ok {
		return nil, "", false
	}
	end := closing(rest)
	if end < 0 {
		return nil, "", false
	}
	for _, e := range splitTop(rest[:end]) {
		e = strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(e, " NULLS FIRST"), " NULLS LAST"), " DESC")
		expressions = append(expressions, e)
	}
	rest = rest[end+1:]
	if rest == "" {
		return expressions, "true", true
	}
	where, ok = strings.CutPrefix(rest, " WHERE ")
	return expressions, where, ok
}

// closing is the position of the parenthesis that closes one before the text; -1 when there is none.
func closing(text string) int {
	depth, quote := 1, rune(0)
	for i, c := range text {
		switch {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '\'', c == '"':
			quote = c
		case c == '(':
			depth++
		case c == ')':
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return -1
}

// splitTop splits a list at its commas, but for those inside parentheses and quotes.
func splitTop(text string) []string {
	var parts []string
	start, depth, quote := 0, 0, rune(0)
	for i, c := range text {
		switch {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '\'', c == '"':
			quote = c
		case c == '(':
			depth++
		case c == ')':
			depth--
		case c == ',' && depth == 0:
			parts = append(parts, strings.TrimSpace(text[start:i]))
			start = i + 1
		}
	}
	return append(parts, strings.TrimSpace(text[start:]))
}

// duplicates blocks a unique index when rows agree in what must be unique.
func (p *repairer) duplicates(ctx context.Context, d catalog.Difference, index catalog.Object) (bool, error) {
	expressions, where, ok := indexParts(index.Attrs["definition"])
	if !ok {
		p.block(d, "whether rows agree in what must be unique cannot be told of an index of this form",
			"create unique index concurrently "+index.Name+" on "+index.Parent+" using "+index.Attrs["definition"])
		return true, nil
	}
	var entries, names, present []string
	for i, e := range expressions {
		name := fmt.Sprintf("entry%d", i)
		entries, names, present = append(entries, e+" as "+name), append(names, name), append(present, name+" is not null")
	}
	query := fmt.Sprintf(`
		select string_agg(key, '; ' order by key) as keys, count(*) as n
		from (select %s as key, %s from %s where %s) as entry
		where %s group by %s having count(*) > 1`,
		p.keyText(index.Parent), strings.Join(entries, ", "), index.Parent, where, strings.Join(present, " and "), strings.Join(names, ", "))
	return p.rowsInTheWay(ctx, d, "rows agree in what must be unique; which of them keeps it is for a person to decide", query, func(groups []string) string {
		columns := strings.Join(append(p.primaryKey(index.Parent), expressions...), ", ")
		if hint := duplicateHints[index.Name]; hint != "" {
			return fmt.Sprintf(hint, strings.Join(allButFirst(groups), "\n   or "))
		}
		value := "..."
		if column, ok := p.live[catalog.Key{Kind: "column", Parent: index.Parent, Name: expressions[0]}]; ok && column.Attrs["not null"] == "" {
			value = "null"
		}
		return fmt.Sprintf("-- look at them:\nselect %s from %s\nwhere %s;\n-- then leave the value to one row of each group, for example:\nupdate %s set %s = %s\nwhere %s",
			columns, index.Parent, strings.ReplaceAll(strings.Join(groups, "\n   or "), "; ", "\n   or "), index.Parent, expressions[0], value, strings.Join(allButFirst(groups), "\n   or "))
	})
}

// duplicateHints say how known constraints are satisfied, where setting a column to null is not the way.
var duplicateHints = map[string]string{
	"ux_platform_alerts_single_published": "-- leave one alert published, and close the others, for example:\nupdate public.platform_alerts set status = 'closed', closed_at = now()\nwhere %s",
}

// allButFirst lists the keys of every group but its first.
func allButFirst(groups []string) []string {
	var keys []string
	for _, g := range groups {
		keys = append(keys, strings.Split(g, "; ")[1:]...)
	}
	return keys
}

// tooLong blocks a btree index when a row has an entry that may not fit: about 2,700 bytes.
func (p *repairer) tooLong(ctx context.Context, d catalog.Difference, index catalog.Object) (bool, error) {
	expressions, where, ok := indexParts(index.Attrs["definition"])
	if !ok {
		return false, nil
	}
	lengths := make([]string, len(expressions))
	for i, e := range expressions {
		lengths[i] = "coalesce(octet_length((" + e + ")::text), 0)"
	}
	query := fmt.Sprintf(`select %s as keys, 1 as n from %s where (%s) and %s > 2600`, p.keyText(index.Parent), index.Parent, where, strings.Join(lengths, " + "))
	return p.rowsInTheWay(ctx, d, "an entry of the index would be longer than PostgreSQL allows, about 2,700 bytes; shorten it, or accept that the index is missing", query,
		func(rows []string) string {
			return fmt.Sprintf("-- look at them:\nselect * from %s\nwhere %s", index.Parent, strings.Join(rows, "\n   or "))
		})
}

var foreignKey = regexp.MustCompile(`^FOREIGN KEY \(([^()]*)\) REFERENCES ((?:"[^"]+"|\w+)\.(?:"[^"]+"|\w+))\(([^()]*)\)`)

// violations blocks a check or foreign key when rows do not hold it.
func (p *repairer) violations(ctx context.Context, d catalog.Difference, constraint catalog.Object) (bool, error) {
	table, definition := constraint.Parent, constraint.Attrs["definition"]
	var condition string
	if check, ok := strings.CutPrefix(definition, "CHECK ("); ok {
		end := closing(check)
		if end < 0 || check[end+1:] != "" {
			p.block(d, "a check of this form is not repaired by machine", fmt.Sprintf("alter table %s add constraint %s %s", table, constraint.Name, definition))
			return true, nil
		}
		condition = "not (" + check[:end] + ")"
	} else if match := foreignKey.FindStringSubmatch(definition); match != nil {
		columns, target := splitTop(match[1]), splitTop(match[3])
		var present, same []string
		for i, c := range columns {
			present = append(present, c+" is not null")
			same = append(same, fmt.Sprintf("referred.%s = referring.%s", target[i], c))
		}
		condition = strings.Join(present, " and ")
		// Where what it refers to is missing too, every row that refers to something is in the way.
		if !slices.ContainsFunc(target, func(column string) bool { return !p.hasColumn(match[2], column) }) {
			condition += fmt.Sprintf(" and not exists (select from %s as referred where %s)", match[2], strings.Join(same, " and "))
		}
	} else {
		p.block(d, "a constraint of this form is not repaired by machine", fmt.Sprintf("alter table %s add constraint %s %s", table, constraint.Name, definition))
		return true, nil
	}
	query := fmt.Sprintf(`select %s as keys, 1 as n from %s as referring where %s`, p.keyText(table), table, condition)
	return p.rowsInTheWay(ctx, d, "rows do not hold it", query, func(rows []string) string {
		return fmt.Sprintf("-- correct these rows, or accept that it is missing:\nselect * from %s\nwhere %s", table, strings.Join(rows, "\n   or "))
	})
}

// hasColumn reports whether the live table has a column.
func (p *repairer) hasColumn(table, column string) bool {
	_, there := p.live[catalog.Key{Kind: "column", Parent: table, Name: column}]
	return there
}

// nulls blocks NOT NULL when rows have none of the value.
func (p *repairer) nulls(ctx context.Context, d catalog.Difference, column catalog.Object) (bool, error) {
	query := fmt.Sprintf(`select %s as keys, 1 as n from %s where %s is null`, p.keyText(column.Parent), column.Parent, column.Name)
	return p.rowsInTheWay(ctx, d, "rows have no value there", query, func([]string) string {
		return fmt.Sprintf("update %s set %s = ... where %s is null", column.Parent, column.Name, column.Name)
	})
}
