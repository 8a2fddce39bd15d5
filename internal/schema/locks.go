package schema

import (
	"fmt"
	"slices"
	"strings"

	pg "github.com/pganalyze/pg_query_go/v6"
)

// Lock is what a statement takes of a relation, told by the statement's kind. What a function or a DO block does inside is
// not told.
type Lock struct {
	Mode     string `json:"mode"`
	Relation string `json:"relation"`
	// Rewrites tells that the table may be written anew under the lock, Scans that all its rows are read under it.
	Rewrites bool `json:"rewrites,omitempty"`
	Scans    bool `json:"scans,omitempty"`
}

// Modes of table locks, as PostgreSQL names them.
const (
	rowExclusive         = "ROW EXCLUSIVE"
	shareUpdateExclusive = "SHARE UPDATE EXCLUSIVE"
	share                = "SHARE"
	shareRowExclusive    = "SHARE ROW EXCLUSIVE"
	exclusive            = "EXCLUSIVE"
	accessExclusive      = "ACCESS EXCLUSIVE"
)

// Blocks says whom a lock makes wait.
func (l Lock) Blocks() string {
	switch l.Mode {
	case accessExclusive:
		return "readers and writers wait"
	case exclusive, shareRowExclusive, share:
		return "writers wait"
	default:
		return "nobody who reads or writes waits"
	}
}

// statementLocks tells the locks of one statement. A statement that the parser does not know has none; PostgreSQL will
// say what is wrong with it.
func statementLocks(sql string) []Lock {
	tree, err := pg.Parse(sql)
	if err != nil {
		return nil
	}
	var locks []Lock
	for _, raw := range tree.Stmts {
		locks = append(locks, nodeLocks(raw.Stmt)...)
	}
	return slices.Compact(locks)
}

func nodeLocks(node *pg.Node) []Lock {
	switch n := node.Node.(type) {
	case *pg.Node_IndexStmt:
		if n.IndexStmt.Concurrent {
			return []Lock{{Mode: shareUpdateExclusive, Relation: relation(n.IndexStmt.Relation), Scans: true}}
		}
		return []Lock{{Mode: share, Relation: relation(n.IndexStmt.Relation), Scans: true}}
	case *pg.Node_CreateStmt:
		return foreignKeys(n.CreateStmt.TableElts)
	case *pg.Node_AlterTableStmt:
		var locks []Lock
		for _, cmd := range n.AlterTableStmt.Cmds {
			locks = append(locks, alterLocks(relation(n.AlterTableStmt.Relation), cmd.GetAlterTableCmd())...)
		}
		return locks
	case *pg.Node_CreateTrigStmt:
		return []Lock{{Mode: shareRowExclusive, Relation: relation(n.CreateTrigStmt.Relation)}}
	case *pg.Node_RuleStmt:
		return []Lock{{Mode: accessExclusive, Relation: relation(n.RuleStmt.Relation)}}
	case *pg.Node_CreatePolicyStmt:
		return []Lock{{Mode: accessExclusive, Relation: relation(n.CreatePolicyStmt.Table)}}
	case *pg.Node_AlterPolicyStmt:
		return []Lock{{Mode: accessExclusive, Relation: relation(n.AlterPolicyStmt.Table)}}
	case *pg.Node_TruncateStmt:
		return relationLocks(accessExclusive, n.TruncateStmt.Relations)
	case *pg.Node_DropStmt:
		return dropLocks(n.DropStmt)
	case *pg.Node_RenameStmt:
		if n.RenameStmt.Relation == nil {
			return nil
		}
		return []Lock{{Mode: accessExclusive, Relation: relation(n.RenameStmt.Relation)}}
	case *pg.Node_AlterObjectSchemaStmt:
		if n.AlterObjectSchemaStmt.Relation == nil {
			return nil
		}
		return []Lock{{Mode: accessExclusive, Relation: relation(n.AlterObjectSchemaStmt.Relation)}}
	case *pg.Node_ViewStmt:
		if !n.ViewStmt.Replace {
			return nil
		}
		return []Lock{{Mode: accessExclusive, Relation: relation(n.ViewStmt.View)}}
	case *pg.Node_RefreshMatViewStmt:
		mode := accessExclusive
		if n.RefreshMatViewStmt.Concurrent {
			mode = exclusive
		}
		return []Lock{{Mode: mode, Relation: relation(n.RefreshMatViewStmt.Relation)}}
	case *pg.Node_CreateStatsStmt:
		return relationLocks(shareUpdateExclusive, n.CreateStatsStmt.Relations)
	case *pg.Node_VacuumStmt:
		return vacuumLocks(n.VacuumStmt)
	case *pg.Node_InsertStmt:
		return []Lock{{Mode: rowExclusive, Relation: relation(n.InsertStmt.Relation)}}
	case *pg.Node_UpdateStmt:
		return []Lock{{Mode: rowExclusive, Relation: relation(n.UpdateStmt.Relation)}}
	case *pg.Node_DeleteStmt:
		return []Lock{{Mode: rowExclusive, Relation: relation(n.DeleteStmt.Relation)}}
	case *pg.Node_MergeStmt:
		return []Lock{{Mode: rowExclusive, Relation: relation(n.MergeStmt.Relation)}}
	case *pg.Node_LockStmt:
		return relationLocks(lockModes[n.LockStmt.Mode], n.LockStmt.Relations)
	case *pg.Node_ClusterStmt:
		if n.ClusterStmt.Relation == nil {
			return nil
		}
		return []Lock{{Mode: accessExclusive, Relation: relation(n.ClusterStmt.Relation), Rewrites: true}}
	default:
		return nil
	}
}

// lockModes are the names of LOCK TABLE's modes by PostgreSQL's numbers.
var lockModes = map[int32]string{
	1: "ACCESS SHARE", 2: "ROW SHARE", 3: rowExclusive, 4: shareUpdateExclusive, 5: share, 6: shareRowExclusive, 7: exclusive, 8: accessExclusive,
}

// alterLocks tells the locks of one action of ALTER TABLE; most need the strongest.
func alterLocks(table string, cmd *pg.AlterTableCmd) []Lock {
	switch cmd.Subtype {
	case pg.AlterTableType_AT_ValidateConstraint:
		return []Lock{{Mode: shareUpdateExclusive, Relation: table, Scans: true}}
	case pg.AlterTableType_AT_SetStatistics, pg.AlterTableType_AT_SetOptions, pg.AlterTableType_AT_ResetOptions,
		pg.AlterTableType_AT_SetRelOptions, pg.AlterTableType_AT_ResetRelOptions, pg.AlterTableType_AT_ClusterOn,
		pg.AlterTableType_AT_DropCluster, pg.AlterTableType_AT_AttachPartition:
		return []Lock{{Mode: shareUpdateExclusive, Relation: table}}
	case pg.AlterTableType_AT_EnableTrig, pg.AlterTableType_AT_EnableTrigAll, pg.AlterTableType_AT_EnableTrigUser,
		pg.AlterTableType_AT_EnableAlwaysTrig, pg.AlterTableType_AT_EnableReplicaTrig,
		pg.AlterTableType_AT_DisableTrig, pg.AlterTableType_AT_DisableTrigAll, pg.AlterTableType_AT_DisableTrigUser:
		return []Lock{{Mode: shareRowExclusive, Relation: table}}
	case pg.AlterTableType_AT_AddConstraint:
		return constraintLocks(table, cmd.Def.GetConstraint())
	case pg.AlterTableType_AT_AlterColumnType, pg.AlterTableType_AT_SetTableSpace, pg.AlterTableType_AT_SetLogged,
		pg.AlterTableType_AT_SetUnLogged, pg.AlterTableType_AT_SetAccessMethod:
		return []Lock{{Mode: accessExclusive, Relation: table, Rewrites: true}}
	case pg.AlterTableType_AT_SetNotNull:
		return []Lock{{Mode: accessExclusive, Relation: table, Scans: true}}
	case pg.AlterTableType_AT_AddColumn:
		lock := Lock{Mode: accessExclusive, Relation: table}
		locks := []Lock{lock}
		for _, node := range cmd.Def.GetColumnDef().GetConstraints() {
			c := node.GetConstraint()
			switch c.GetContype() {
			case pg.ConstrType_CONSTR_GENERATED, pg.ConstrType_CONSTR_IDENTITY:
				locks[0].Rewrites = true
			case pg.ConstrType_CONSTR_DEFAULT:
				locks[0].Rewrites = locks[0].Rewrites || !isConstant(c.RawExpr)
			case pg.ConstrType_CONSTR_FOREIGN:
				locks = append(locks, constraintLocks(table, c)...)
			}
		}
		return locks
	default:
		return []Lock{{Mode: accessExclusive, Relation: table}}
	}
}

// isConstant reports whether a default is surely the same for all rows; a function may be volatile, and then every row is
// written.
func isConstant(expr *pg.Node) bool {
	switch n := expr.GetNode().(type) {
	case *pg.Node_AConst:
		return true
	case *pg.Node_TypeCast:
		return isConstant(n.TypeCast.Arg)
	default:
		return false
	}
}

// constraintLocks tells what adding a constraint to a table takes.
func constraintLocks(table string, c *pg.Constraint) []Lock {
	switch c.GetContype() {
	case pg.ConstrType_CONSTR_FOREIGN:
		return []Lock{
			{Mode: shareRowExclusive, Relation: table, Scans: !c.SkipValidation},
			{Mode: shareRowExclusive, Relation: relation(c.Pktable)},
		}
	case pg.ConstrType_CONSTR_CHECK:
		return []Lock{{Mode: accessExclusive, Relation: table, Scans: !c.SkipValidation}}
	case pg.ConstrType_CONSTR_PRIMARY, pg.ConstrType_CONSTR_UNIQUE, pg.ConstrType_CONSTR_EXCLUSION:
		return []Lock{{Mode: accessExclusive, Relation: table, Scans: c.Indexname == ""}}
	default:
		return []Lock{{Mode: accessExclusive, Relation: table}}
	}
}

// foreignKeys tells what a new table takes of those that it refers to.
func foreignKeys(elements []*pg.Node) []Lock {
	var locks []Lock
	add := func(c *pg.Constraint) {
		if c.GetContype() == pg.ConstrType_CONSTR_FOREIGN {
			locks = append(locks, Lock{Mode: shareRowExclusive, Relation: relation(c.Pktable)})
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
func dropLocks(drop *pg.DropStmt) []Lock {
	mode := accessExclusive
	if drop.Concurrent {
		mode = shareUpdateExclusive
	}
	var locks []Lock
	for _, object := range drop.Objects {
		var parts []string
		for _, item := range object.GetList().GetItems() {
			parts = append(parts, quoteIdent(item.GetString_().GetSval()))
		}
		switch drop.RemoveType {
		case pg.ObjectType_OBJECT_TABLE, pg.ObjectType_OBJECT_VIEW, pg.ObjectType_OBJECT_MATVIEW, pg.ObjectType_OBJECT_INDEX,
			pg.ObjectType_OBJECT_SEQUENCE:
			locks = append(locks, Lock{Mode: mode, Relation: strings.Join(parts, ".")})
		case pg.ObjectType_OBJECT_TRIGGER, pg.ObjectType_OBJECT_RULE, pg.ObjectType_OBJECT_POLICY:
			locks = append(locks, Lock{Mode: mode, Relation: strings.Join(parts[:len(parts)-1], ".")})
		}
	}
	return locks
}

func relationLocks(mode string, relations []*pg.Node) []Lock {
	var locks []Lock
	for _, r := range relations {
		locks = append(locks, Lock{Mode: mode, Relation: relation(r.GetRangeVar())})
	}
	return locks
}

// vacuumLocks tells the locks of VACUUM and ANALYZE.
func vacuumLocks(vacuum *pg.VacuumStmt) []Lock {
	lock := Lock{Mode: shareUpdateExclusive}
	for _, option := range vacuum.Options {
		if option.GetDefElem().GetDefname() == "full" {
			lock = Lock{Mode: accessExclusive, Rewrites: true}
		}
	}
	var locks []Lock
	for _, r := range vacuum.Rels {
		lock.Relation = relation(r.GetVacuumRelation().GetRelation())
		locks = append(locks, lock)
	}
	return locks
}

// relation is a relation's name as SQL writes it.
func relation(r *pg.RangeVar) string {
	if r.GetSchemaname() == "" {
		return quoteIdent(r.GetRelname())
	}
	return quoteIdent(r.GetSchemaname()) + "." + quoteIdent(r.GetRelname())
}

// quoteIdent quotes an identifier where SQL needs it.
func quoteIdent(name string) string {
	for i, c := range name {
		if c != '_' && (c < 'a' || c > 'z') && (i == 0 || c < '0' || c > '9') {
			return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
		}
	}
	return name
}

func (l Lock) String() string {
	text := fmt.Sprintf("%s on %s", l.Mode, l.Relation)
	if l.Rewrites {
		text += ", rewrites it"
	}
	if l.Scans {
		text += ", reads all of it"
	}
	return text
}
