package lint

import (
	"slices"
	"strings"

	pg "github.com/pganalyze/pg_query_go/v6"

	"portaldb/internal/catalog"
)

// Locks tells the locks of one statement. A statement that the parser does not know has none; PostgreSQL will
// say what is wrong with it.
func Locks(sql string) []catalog.Lock {
	tree, err := Parse(sql)
	if err != nil {
		return nil
	}
	var locks []catalog.Lock
	for _, raw := range tree.Stmts {
		locks = append(locks, nodeLocks(raw.Stmt)...)
	}
	return slices.Compact(locks)
}

func nodeLocks(node *pg.Node) []catalog.Lock {
	switch n := node.Node.(type) {
	case *pg.Node_IndexStmt:
		if n.IndexStmt.Concurrent {
			return []catalog.Lock{{Mode: catalog.ShareUpdateExclusive, Relation: Relation(n.IndexStmt.Relation), Scans: true}}
		}
		return []catalog.Lock{{Mode: catalog.Share, Relation: Relation(n.IndexStmt.Relation), Scans: true}}
	case *pg.Node_CreateStmt:
		return foreignKeys(n.CreateStmt.TableElts)
	case *pg.Node_AlterTableStmt:
		var locks []catalog.Lock
		for _, cmd := range n.AlterTableStmt.Cmds {
			locks = append(locks, alterLocks(Relation(n.AlterTableStmt.Relation), cmd.GetAlterTableCmd())...)
		}
		return locks
	case *pg.Node_CreateTrigStmt:
		return []catalog.Lock{{Mode: catalog.ShareRowExclusive, Relation: Relation(n.CreateTrigStmt.Relation)}}
	case *pg.Node_RuleStmt:
		return []catalog.Lock{{Mode: catalog.AccessExclusive, Relation: Relation(n.RuleStmt.Relation)}}
	case *pg.Node_CreatePolicyStmt:
		return []catalog.Lock{{Mode: catalog.AccessExclusive, Relation: Relation(n.CreatePolicyStmt.Table)}}
	case *pg.Node_AlterPolicyStmt:
		return []catalog.Lock{{Mode: catalog.AccessExclusive, Relation: Relation(n.AlterPolicyStmt.Table)}}
	case *pg.Node_TruncateStmt:
		return relationLocks(catalog.AccessExclusive, n.TruncateStmt.Relations)
	case *pg.Node_DropStmt:
		return dropLocks(n.DropStmt)
	case *pg.Node_RenameStmt:
		if n.RenameStmt.Relation == nil {
			return nil
		}
		mode := catalog.AccessExclusive
		if n.RenameStmt.RenameType == pg.ObjectType_OBJECT_INDEX {
			mode = catalog.ShareUpdateExclusive
		}
		return []catalog.Lock{{Mode: mode, Relation: Relation(n.RenameStmt.Relation)}}
	case *pg.Node_AlterObjectSchemaStmt:
		if n.AlterObjectSchemaStmt.Relation == nil {
			return nil
		}
		return []catalog.Lock{{Mode: catalog.AccessExclusive, Relation: Relation(n.AlterObjectSchemaStmt.Relation)}}
	case *pg.Node_ViewStmt:
		if !n.ViewStmt.Replace {
			return nil
		}
		return []catalog.Lock{{Mode: catalog.AccessExclusive, Relation: Relation(n.ViewStmt.View)}}
	case *pg.Node_RefreshMatViewStmt:
		mode := catalog.AccessExclusive
		if n.RefreshMatViewStmt.Concurrent {
			mode = catalog.Exclusive
		}
		return []catalog.Lock{{Mode: mode, Relation: Relation(n.RefreshMatViewStmt.Relation)}}
	case *pg.Node_CreateStatsStmt:
		return relationLocks(catalog.ShareUpdateExclusive, n.CreateStatsStmt.Relations)
	case *pg.Node_VacuumStmt:
		return vacuumLocks(n.VacuumStmt)
	case *pg.Node_InsertStmt:
		return []catalog.Lock{{Mode: catalog.RowExclusive, Relation: Relation(n.InsertStmt.Relation)}}
	case *pg.Node_UpdateStmt:
		return []catalog.Lock{{Mode: catalog.RowExclusive, Relation: Relation(n.UpdateStmt.Relation)}}
	case *pg.Node_DeleteStmt:
		return []catalog.Lock{{Mode: catalog.RowExclusive, Relation: Relation(n.DeleteStmt.Relation)}}
	case *pg.Node_MergeStmt:
		return []catalog.Lock{{Mode: catalog.RowExclusive, Relation: Relation(n.MergeStmt.Relation)}}
	case *pg.Node_LockStmt:
		return relationLocks(lockModes[n.LockStmt.Mode], n.LockStmt.Relations)
	case *pg.Node_ClusterStmt:
		if n.ClusterStmt.Relation == nil {
			return nil
		}
		return []catalog.Lock{{Mode: catalog.AccessExclusive, Relation: Relation(n.ClusterStmt.Relation), Rewrites: true}}
	default:
		return nil
	}
}

// lockModes are the names of LOCK TABLE's modes by PostgreSQL's numbers.
var lockModes = map[int32]string{
	1: "ACCESS SHARE", 2: "ROW SHARE", 3: catalog.RowExclusive, 4: catalog.ShareUpdateExclusive, 5: catalog.Share, 6: catalog.ShareRowExclusive, 7: catalog.Exclusive, 8: catalog.AccessExclusive,
}

// alterLocks tells the locks of one action of ALTER TABLE; most need the strongest.
func alterLocks(table string, cmd *pg.AlterTableCmd) []catalog.Lock {
	switch cmd.Subtype {
	case pg.AlterTableType_AT_ValidateConstraint:
		return []catalog.Lock{{Mode: catalog.ShareUpdateExclusive, Relation: table, Scans: true}}
	case pg.AlterTableType_AT_SetStatistics, pg.AlterTableType_AT_SetOptions, pg.AlterTableType_AT_ResetOptions,
		pg.AlterTableType_AT_SetRelOptions, pg.AlterTableType_AT_ResetRelOptions, pg.AlterTableType_AT_ClusterOn,
		pg.AlterTableType_AT_DropCluster, pg.AlterTableType_AT_AttachPartition:
		return []catalog.Lock{{Mode: catalog.ShareUpdateExclusive, Relation: table}}
	case pg.AlterTableType_AT_EnableTrig, pg.AlterTableType_AT_EnableTrigAll, pg.AlterTableType_AT_EnableTrigUser,
		pg.AlterTableType_AT_EnableAlwaysTrig, pg.AlterTableType_AT_EnableReplicaTrig,
		pg.AlterTableType_AT_DisableTrig, pg.AlterTableType_AT_DisableTrigAll, pg.AlterTableType_AT_DisableTrigUser:
		return []catalog.Lock{{Mode: catalog.ShareRowExclusive, Relation: table}}
	case pg.AlterTableType_AT_AddConstraint:
		return constraintLocks(table, cmd.Def.GetConstraint())
	case pg.AlterTableType_AT_AlterColumnType, pg.AlterTableType_AT_SetTableSpace, pg.AlterTableType_AT_SetLogged,
		pg.AlterTableType_AT_SetUnLogged, pg.AlterTableType_AT_SetAccessMethod:
		return []catalog.Lock{{Mode: catalog.AccessExclusive, Relation: table, Rewrites: true}}
	case pg.AlterTableType_AT_SetNotNull:
		return []catalog.Lock{{Mode: catalog.AccessExclusive, Relation: table, Scans: true}}
	case pg.AlterTableType_AT_AddColumn:
		return addColumnLocks(table, cmd.Def.GetColumnDef())
	default:
		return []catalog.Lock{{Mode: catalog.AccessExclusive, Relation: table}}
	}
}

// addColumnLocks tells what adding a column takes. The rows that are there are checked against its constraints, against a
// foreign key only where a default gives them a value.
func addColumnLocks(table string, def *pg.ColumnDef) []catalog.Lock {
	locks := []catalog.Lock{{Mode: catalog.AccessExclusive, Relation: table, Rewrites: addedColumn(def) != ""}}
	for _, node := range def.GetConstraints() {
		switch c := node.GetConstraint(); c.GetContype() {
		case pg.ConstrType_CONSTR_CHECK, pg.ConstrType_CONSTR_PRIMARY, pg.ConstrType_CONSTR_UNIQUE:
			locks[0].Scans = true
		case pg.ConstrType_CONSTR_FOREIGN:
			added := constraintLocks(table, c)
			added[0].Scans = hasDefault(def)
			locks = append(locks, added...)
		}
	}
	return locks
}

// constraintLocks tells what adding a constraint to a table takes.
func constraintLocks(table string, c *pg.Constraint) []catalog.Lock {
	switch c.GetContype() {
	case pg.ConstrType_CONSTR_FOREIGN:
		return []catalog.Lock{
			{Mode: catalog.ShareRowExclusive, Relation: table, Scans: !c.SkipValidation},
			{Mode: catalog.ShareRowExclusive, Relation: Relation(c.Pktable)},
		}
	case pg.ConstrType_CONSTR_CHECK:
		return []catalog.Lock{{Mode: catalog.AccessExclusive, Relation: table, Scans: !c.SkipValidation}}
	case pg.ConstrType_CONSTR_PRIMARY, pg.ConstrType_CONSTR_UNIQUE, pg.ConstrType_CONSTR_EXCLUSION:
		return []catalog.Lock{{Mode: catalog.AccessExclusive, Relation: table, Scans: c.Indexname == ""}}
	default:
		return []catalog.Lock{{Mode: catalog.AccessExclusive, Relation: table}}
	}
}

// foreignKeys tells what a new table takes of those that it refers to.
func foreignKeys(elements []*pg.Node) []catalog.Lock {
	var locks []catalog.Lock
	add := func(c *pg.Constraint) {
		if c.GetContype() == pg.ConstrType_CONSTR_FOREIGN {
			locks = append(locks, catalog.Lock{Mode: catalog.ShareRowExclusive, Relation: Relation(c.Pktable)})
		}
	}
	for _, e := range elements {
		add(e.GetConstraint())
		for _, c := range e.GetColumnDef().GetConstraints() {
			add(c.GetConstraint())
		}
	}
	return locks
}

// dropLocks tells the locks of DROP. What hangs on a dropped index or type is not told.
func dropLocks(drop *pg.DropStmt) []catalog.Lock {
	mode := catalog.AccessExclusive
	if drop.Concurrent {
		mode = catalog.ShareUpdateExclusive
	}
	var locks []catalog.Lock
	for _, object := range drop.Objects {
		var parts []string
		for _, item := range object.GetList().GetItems() {
			parts = append(parts, QuoteIdent(item.GetString_().GetSval()))
		}
		switch drop.RemoveType {
		case pg.ObjectType_OBJECT_TABLE, pg.ObjectType_OBJECT_VIEW, pg.ObjectType_OBJECT_MATVIEW, pg.ObjectType_OBJECT_INDEX,
			pg.ObjectType_OBJECT_SEQUENCE:
			locks = append(locks, catalog.Lock{Mode: mode, Relation: strings.Join(parts, ".")})
		case pg.ObjectType_OBJECT_TRIGGER, pg.ObjectType_OBJECT_RULE, pg.ObjectType_OBJECT_POLICY:
			locks = append(locks, catalog.Lock{Mode: mode, Relation: strings.Join(parts[:len(parts)-1], ".")})
		}
	}
	return locks
}

func relationLocks(mode string, relations []*pg.Node) []catalog.Lock {
	var locks []catalog.Lock
	for _, r := range relations {
		locks = append(locks, catalog.Lock{Mode: mode, Relation: Relation(r.GetRangeVar())})
	}
	return locks
}

// vacuumLocks tells the locks of VACUUM and ANALYZE.
func vacuumLocks(vacuum *pg.VacuumStmt) []catalog.Lock {
	lock := catalog.Lock{Mode: catalog.ShareUpdateExclusive}
	if optionOn(vacuum.Options, "full") {
		lock = catalog.Lock{Mode: catalog.AccessExclusive, Rewrites: true}
	}
	var locks []catalog.Lock
	for _, r := range vacuum.Rels {
		lock.Relation = Relation(r.GetVacuumRelation().GetRelation())
		locks = append(locks, lock)
	}
	return locks
}

// Relation is a relation's name as SQL writes it.
func Relation(r *pg.RangeVar) string {
	if r.GetSchemaname() == "" {
		return QuoteIdent(r.GetRelname())
	}
	return QuoteIdent(r.GetSchemaname()) + "." + QuoteIdent(r.GetRelname())
}

// QuoteIdent quotes an identifier where SQL needs it.
func QuoteIdent(name string) string {
	for i, c := range name {
		if c != '_' && (c < 'a' || c > 'z') && (i == 0 || c < '0' || c > '9') {
			return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
		}
	}
	return name
}
