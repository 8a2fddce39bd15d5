package schema

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	pg "github.com/pganalyze/pg_query_go/v6"

	"portaldb/internal/lint"
)

// concurrentIndex is what CREATE INDEX CONCURRENTLY says it will build.
type concurrentIndex struct {
	table, name string
	create      bool
}

var concurrently = regexp.MustCompile(`(?i)\bconcurrently\b`)

// parseConcurrent tells the statements that build or drop an index while others write, and for CREATE INDEX which one.
func parseConcurrent(statement string) (index concurrentIndex, concurrent bool) {
	if !concurrently.MatchString(statement) { // parsing costs more than all the rest of a short statement
		return concurrentIndex{}, false
	}
	tree, err := lint.Parse(statement)
	if err != nil || len(tree.Stmts) != 1 {
		return concurrentIndex{}, false // PostgreSQL will say what is wrong with it
	}
	switch n := tree.Stmts[0].Stmt.Node.(type) {
	case *pg.Node_IndexStmt:
		if n.IndexStmt.Concurrent {
			return concurrentIndex{table: lint.Relation(n.IndexStmt.Relation), name: lint.QuoteIdent(n.IndexStmt.Idxname), create: true}, true
		}
	case *pg.Node_DropStmt:
		return concurrentIndex{}, n.DropStmt.Concurrent
	case *pg.Node_ReindexStmt:
		return concurrentIndex{}, slices.ContainsFunc(n.ReindexStmt.Params, func(p *pg.Node) bool { return p.GetDefElem().GetDefname() == "concurrently" })
	}
	return concurrentIndex{}, false
}

// build runs CREATE INDEX CONCURRENTLY so that it can be repeated: what a run that died has finished stays, what it left
// invalid is dropped first, and no version is recorded over an index that is not valid.
//
// Judged by the catalog alone: there is no mark of a run in the middle, since a run that is killed cannot take one back.
func (index concurrentIndex) build(ctx context.Context, conn *pgx.Conn, statement string, effect []byte) error {
	found, err := index.find(ctx, conn)
	if err != nil {
		return err
	}
	switch {
	case found == nil:
	case found.builder != 0:
		return fmt.Errorf("index %s is being built by another session, pid %d; run up again when it is done", index.name, found.builder)
	case found.valid && found.isEffect(effect):
		return nil
	case found.valid:
		// PostgreSQL says that it exists; IF NOT EXISTS would hide that it is another one.
	default:
		if _, err := conn.Exec(ctx, `drop index concurrently `+found.qualified); err != nil {
			return fmt.Errorf("drop the invalid index %s that an earlier run left: %w", index.name, err)
		}
	}
	if _, err := conn.Exec(ctx, statement); err != nil {
		return err
	}
	if found, err = index.find(ctx, conn); err != nil {
		return err
	}
	if found == nil || !found.valid {
		return fmt.Errorf("index %s is not valid after it was built", index.name)
	}
	return nil
}

// foundIndex is an index as the catalog has it.
type foundIndex struct {
	qualified  string
	valid      bool
	definition string
	// builder is the pid of the session that is building it now; 0 when there is none.
	builder int
}

func (index concurrentIndex) find(ctx context.Context, conn *pgx.Conn) (*foundIndex, error) {
	var found foundIndex
	err := conn.QueryRow(ctx, `
		select format('%I.%I', n.nspname, c.relname), i.indisvalid, regexp_replace(pg_get_indexdef(c.oid), '^.*? USING ', ''),
		       coalesce((select pid from pg_stat_progress_create_index where index_relid = c.oid), 0)
		from pg_index i
		join pg_class c on c.oid = i.indexrelid
		join pg_namespace n on n.oid = c.relnamespace
		where i.indrelid = to_regclass($1) and c.relname = (parse_ident($2))[1]`, index.table, index.name).
		Scan(&found.qualified, &found.valid, &found.definition, &found.builder)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("look for index %s: %w", index.name, err)
	}
	return &found, nil
}

// isEffect reports whether the index is the one that the migration's effect file describes.
func (f *foundIndex) isEffect(effect []byte) bool {
	definition := strings.ReplaceAll(strings.ReplaceAll(f.definition, `\`, `\\`), `"`, `\"`)
	return strings.Contains(string(effect), `"definition":"`+definition+`"`)
}
