package lint

import (
	"slices"
	"strings"

	pg "github.com/pganalyze/pg_query_go/v6"
)

var foreignKeyWithoutIndex = Rule{
	Name:     "foreign-key-without-index",
	Severity: Warning,
	What:     "A foreign key whose columns no index begins with, neither in the file nor before it.",
	Why: "Deleting a row of the other table, or changing its key, looks for rows that refer to it: without an index it " +
		"reads the whole table each time, and holds its locks for as long.",
	Safe: `-- in the file before, with -- +goose NO TRANSACTION
CREATE INDEX CONCURRENTLY {index} ON {table} ({column});`,
	file: checkForeignKeyWithoutIndex,
}

func checkForeignKeyWithoutIndex(f *file) {
	covered := map[string]map[string]bool{} // by table
	for _, s := range f.up.statements {
		for _, key := range foreignKeysOf(s.node) {
			// The model is that after the file: an index further down counts.
			if covered[key.table] == nil {
				covered[key.table] = f.before.table(key.table).covered()
			}
			if f.before.tables[key.table] == nil || covered[key.table][setOf(key.columns)] {
				continue
			}
			s.report(key.location, "no index of "+display(key.table)+" begins with "+quoteAll(key.columns)+", so each DELETE on "+key.other+" reads all of it; build one before",
				"{table}", display(key.table), "{column}", quoteAll(key.columns), "{index}", QuoteIdent(base(key.table)+"_"+strings.Join(key.columns, "_")+"_idx"))
		}
	}
}

type foreignKey struct {
	table    string
	columns  []string
	other    string
	location int32
}

// foreignKeysOf are the foreign keys that a statement adds.
func foreignKeysOf(node *pg.Node) []foreignKey {
	var all []foreignKey
	add := func(table string, c *pg.Constraint, column string) {
		if c.GetContype() != pg.ConstrType_CONSTR_FOREIGN {
			return
		}
		key := foreignKey{table, words(c.FkAttrs), Relation(c.Pktable), c.Location}
		if column != "" {
			key.columns = []string{column}
		}
		all = append(all, key)
	}
	addColumn := func(table string, def *pg.ColumnDef) {
		for _, c := range def.GetConstraints() {
			add(table, c.GetConstraint(), def.Colname)
		}
	}
	switch n := node.Node.(type) {
	case *pg.Node_CreateStmt:
		table := relationKey(n.CreateStmt.Relation)
		for _, e := range n.CreateStmt.TableElts {
			add(table, e.GetConstraint(), "")
			addColumn(table, e.GetColumnDef())
		}
	case *pg.Node_AlterTableStmt:
		table := relationKey(n.AlterTableStmt.Relation)
		for _, cmd := range n.AlterTableStmt.Cmds {
			add(table, cmd.GetAlterTableCmd().GetDef().GetConstraint(), "")
			addColumn(table, cmd.GetAlterTableCmd().GetDef().GetColumnDef())
		}
	}
	return all
}

// covered are the sets of columns by which an index finds rows: those that it begins with, in any order.
func (t *table) covered() map[string]bool {
	all := map[string]bool{}
	for _, i := range t.indexes {
		for n := range i.columns {
			if !i.partial {
				all[setOf(i.columns[:n+1])] = true
			}
		}
	}
	return all
}

func setOf(columns []string) string { return strings.Join(slices.Sorted(slices.Values(columns)), ",") }
