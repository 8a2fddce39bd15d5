package lint

import (
	"slices"
	"strings"

	pg "github.com/pganalyze/pg_query_go/v6"
)

var vacuumFullOrCluster = Rule{
	Name:     "vacuum-full-or-cluster",
	Severity: Error,
	What:     "VACUUM FULL, CLUSTER, or SET LOGGED, UNLOGGED, TABLESPACE or ACCESS METHOD of a table in use.",
	Why: "All of them copy the table under ACCESS EXCLUSIVE, with all of its indexes: nobody reads or writes it until they are " +
		"done.",
	Safe:      `VACUUM (ANALYZE) {table}; -- gives the space to new rows, while others read and write`,
	down:      true,
	statement: checkVacuumFullOrCluster,
}

// copying are the actions of ALTER TABLE that write the table anew without changing a column.
var copying = map[pg.AlterTableType]string{
	pg.AlterTableType_AT_SetLogged: "SET LOGGED", pg.AlterTableType_AT_SetUnLogged: "SET UNLOGGED",
	pg.AlterTableType_AT_SetTableSpace: "SET TABLESPACE", pg.AlterTableType_AT_SetAccessMethod: "SET ACCESS METHOD",
}

func checkVacuumFullOrCluster(s *statement) {
	switch n := s.node.Node.(type) {
	case *pg.Node_VacuumStmt:
		if optionOn(n.VacuumStmt.Options, "full") {
			s.report(0, "VACUUM FULL copies the table while nobody can read or write it; a plain VACUUM is enough for new rows")
		}
	case *pg.Node_ClusterStmt:
		if n.ClusterStmt.Relation == nil || s.half.inUse(n.ClusterStmt.Relation) {
			s.report(0, "CLUSTER copies the table while nobody can read or write it; leave the order to an index")
		}
	}
	for table, cmd := range s.alterations() {
		if what := copying[cmd.Subtype]; what != "" {
			s.report(0, what+" copies "+display(table)+" while nobody can read or write it; make a new table that way, and move over", "{table}", display(table))
		}
	}
}

// optionOn reports whether a list such as (FULL, ANALYZE false) has an option that is not switched off.
func optionOn(options []*pg.Node, name string) bool {
	on := false
	for _, o := range options {
		if option := o.GetDefElem(); option.GetDefname() == name {
			value := option.GetArg().GetString_().GetSval()
			on = option.Arg == nil || option.Arg.GetInteger().GetIval() != 0 || option.Arg.GetBoolean().GetBoolval() ||
				value != "" && !slices.Contains([]string{"false", "off"}, strings.ToLower(value))
		}
	}
	return on
}
