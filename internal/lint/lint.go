// Package lint reads migrations as PostgreSQL's parser does and finds what would block, break or lose something when
// they are applied. It needs no database. It also tells which locks a statement takes.
package lint

import (
	"cmp"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"

	pg "github.com/pganalyze/pg_query_go/v6"

	"portaldb/internal/catalog"
)

// Migration is one file with its statements, as goose would send them.
type Migration struct {
	Version int64
	// Name is the file's name, as findings give it.
	Name string
	// Body is the whole text: comments with suppressions are read from it.
	Body     string
	Up, Down Half
	// Err says why the file could not be read into statements; the halves are empty then.
	Err error
	// Effect is what the file was measured to do; nil where it was not.
	Effect *catalog.Effect
}

// MaxSize is how large a file may be, in bytes, that is worth parsing: a tree takes up to 300 times the memory of its text.
const MaxSize = 4 << 20

// ErrTooLarge is the Err of a migration of more than [MaxSize] bytes, which need not be read to the end.
var ErrTooLarge = fmt.Errorf("it has more than %d MiB, and lint does not look at it", MaxSize>>20)

// Half is one direction of a migration.
type Half struct {
	Statements []Statement
	// Tx tells that they run in one transaction.
	Tx bool
}

// Statement is one text that goose sends, which may hold several SQL statements, and the line where it begins.
type Statement struct {
	SQL  string
	Line int
}

// Finding is one thing that a rule found.
type Finding struct {
	Rule     string   `json:"rule"`
	Severity Severity `json:"severity"`
	File     string   `json:"file"`
	Line     int      `json:"line"`
	Message  string   `json:"message"`
	// Safe is the safe way to the same end, as SQL.
	Safe string `json:"safe"`
}

// Options change what is looked for.
type Options struct {
	// Baseline is the version up to which files run on an empty database and copy a schema that exists: rules of locks
	// and style pass over them. Zero for a folder without one.
	Baseline int64
}

// Run returns what the rules find in migrations, which are in the order of their versions, by file and line.
func Run(migrations []Migration, options Options) []Finding {
	halves := parseAll(migrations)
	var findings []Finding
	m := newModel()
	for i, migration := range migrations {
		wanted := func(r *Rule) bool { return r.everywhere || migration.Version > options.Baseline }
		findings = append(findings, examine(m, migration, halves[i], wanted)...)
		if migration.Effect != nil {
			m.applyEffect(*migration.Effect)
		}
	}
	return findings
}

// Refused returns what `up` refuses of a migration, whatever comments say: what goose would accept in silence, and what
// would survive the undoing of a migration that fails.
func Refused(migration Migration) []Finding {
	halves := parseAll([]Migration{migration})
	return examine(newModel(), migration, halves[0], func(r *Rule) bool { return r.refused })
}

// Found returns the finding of a rule that was found elsewhere, such as on a database; none when a comment of the file
// suppresses it.
func Found(migration Migration, rule string, line int, message string) []Finding {
	r := ruleByName(rule)
	if r.refused || !suppressions(migration.Body).suppress(r.Name, 1, strings.Count(migration.Body, "\n")+1) {
		return []Finding{r.finding(migration.Name, line, message, nil)}
	}
	return nil
}

// examine walks one file and applies it to the model. The findings are sorted.
func examine(m *model, migration Migration, halves [2]*half, wanted func(*Rule) bool) []Finding {
	f := &file{Migration: migration, up: halves[0], down: halves[1], before: m, suppressions: suppressions(migration.Body), fresh: map[string]bool{}}
	if migration.Effect != nil { // which knows what a DO block makes
		for _, o := range migration.Effect.Added {
			if made := effectObject(o); made.fresh() {
				f.fresh[made.key()] = true
			}
		}
	}
	for _, h := range halves {
		h.file = f
		h.walk(wanted)
	}
	for _, r := range rules {
		if r.file != nil && wanted(r) {
			f.rule = r
			r.file(f)
		}
	}
	if wanted(&nolint) {
		f.rule = &nolint
		checkSuppressions(f)
	}
	slices.SortStableFunc(f.findings, func(a, b Finding) int { return cmp.Compare(a.Line, b.Line) })
	return f.findings
}

// file is one migration while it is examined.
type file struct {
	Migration
	up, down *half
	// before is the schema before the statement at hand.
	before *model
	// fresh holds relations and types that the file itself has made so far: nobody uses them yet.
	fresh        map[string]bool
	suppressions suppressionList
	rule         *Rule
	findings     []Finding
}

// half is one direction of it, parsed.
type half struct {
	*file
	goingUp, tx bool
	statements  []*statement
	// unreadable are the texts that the parser refuses.
	unreadable []unreadable
	// parser is the parser's version, which its trees carry.
	parser int32
	// held is the table that a statement so far has locked against readers.
	held string
	// altered are the tables in use that a statement alters, added the constraints that one adds.
	altered map[string]bool
	added   map[addedConstraint]bool
}

// statement is one SQL statement.
type statement struct {
	half *half
	sql  string
	node *pg.Node
	// line is where it begins; first and last enclose what goose sends with it.
	line, first, last int
	// text is what goose sends; the statement begins at offset in it, and locations of the tree count in it too.
	text   string
	offset int
}

// addedConstraint is a constraint by its name, or by what it is about.
type addedConstraint struct {
	table, name, columns string
	kind                 pg.ConstrType
}

type unreadable struct {
	line, first, last int
	message           string
}

// walk shows the statements to the rules, one by one, each with the schema before it.
func (h *half) walk(wanted func(*Rule) bool) {
	h.lookAhead()
	for _, r := range rules {
		if r.half != nil && wanted(r) && (h.goingUp || r.down) {
			h.rule = r
			r.half(h)
		}
	}
	for _, s := range h.statements {
		for _, r := range rules {
			if r.statement != nil && wanted(r) && (h.goingUp || r.down) {
				h.rule = r
				r.statement(s)
			}
		}
		for _, o := range created(s.node) {
			if o.fresh() && (h.before.tables[o.key()] == nil || !s.node.GetCreateStmt().GetIfNotExists()) {
				h.fresh[o.key()] = true
			}
		}
		if h.goingUp {
			h.before.apply(s.node)
		}
	}
}

// lookAhead notes what rules ask about other statements of the half.
func (h *half) lookAhead() {
	h.altered, h.added = map[string]bool{}, map[addedConstraint]bool{}
	for _, s := range h.statements {
		for table, cmd := range s.alterations() {
			h.altered[table] = true
			if c := cmd.Def.GetConstraint(); c != nil && cmd.Subtype == pg.AlterTableType_AT_AddConstraint {
				h.added[addedConstraint{table: table, name: h.before.constraintName(table, c, words(c.Keys))}] = true
				if columns := append(words(c.Keys), words(c.FkAttrs)...); len(columns) > 0 {
					h.added[addedConstraint{table: table, kind: c.Contype, columns: strings.Join(columns, ",")}] = true
				}
			}
		}
	}
}

// report adds a finding of the rule at hand on a statement. Location is that of a part of its tree, 0 for the statement
// itself. Names fill the placeholders of the rule's safe way, in pairs.
func (s *statement) report(location int32, message string, names ...string) {
	line := s.line
	if int(location) > s.offset && int(location) < len(s.text) {
		line += strings.Count(s.text[s.offset:location], "\n")
	}
	s.half.add(line, s.first, s.last, message, names)
}

// report adds a finding of the rule at hand on the file as a whole: any comment in it may suppress it.
func (f *file) report(line int, message string, names ...string) {
	f.add(line, 1, strings.Count(f.Body, "\n")+1, message, names)
}

func (f *file) add(line, first, last int, message string, names []string) {
	if f.rule.refused || !f.suppressions.suppress(f.rule.Name, first, last) {
		f.findings = append(f.findings, f.rule.finding(f.Name, line, message, names))
	}
}

// parseAll parses both halves of all migrations, on all cores.
func parseAll(migrations []Migration) [][2]*half {
	halves := make([][2]*half, len(migrations))
	next := make(chan int)
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(migrations)) {
		workers.Go(func() {
			for i := range next {
				halves[i] = [2]*half{parseHalf(migrations[i].Up, true), parseHalf(migrations[i].Down, false)}
			}
		})
	}
	for i := range migrations {
		next <- i
	}
	close(next)
	workers.Wait()
	return halves
}

func parseHalf(from Half, up bool) *half {
	h := &half{goingUp: up, tx: from.Tx}
	for _, text := range from.Statements {
		first := max(text.Line, 1)
		last := first + strings.Count(text.SQL, "\n")
		tree, err := Parse(text.SQL)
		var wrong *SyntaxError
		if errors.As(err, &wrong) {
			h.unreadable = append(h.unreadable, unreadable{first + strings.Count(text.SQL[:wrong.Offset], "\n"), first, last, wrong.Message})
			continue
		}
		h.parser = tree.Version
		line, counted := first, 0
		for _, raw := range tree.Stmts {
			begin := min(int(raw.StmtLocation), len(text.SQL))
			end := len(text.SQL)
			if raw.StmtLen > 0 {
				end = min(begin+int(raw.StmtLen), end)
			}
			forgetRows(raw.Stmt)
			sql := comments.ReplaceAllString(text.SQL[begin:end], "")
			offset := max(end-len(sql), counted)
			line, counted = line+strings.Count(text.SQL[counted:offset], "\n"), offset
			h.statements = append(h.statements, &statement{
				half: h, sql: sql, node: raw.Stmt, text: text.SQL, offset: offset, line: line, first: first, last: last,
			})
		}
	}
	return h
}

// forgetRows lets go of all rows but the first of INSERT ... VALUES: no rule looks at them, and they may be many.
func forgetRows(node *pg.Node) {
	if values := node.GetInsertStmt().GetSelectStmt().GetSelectStmt(); len(values.GetValuesLists()) > 1 {
		values.ValuesLists = slices.Clone(values.ValuesLists[:1])
	}
}
