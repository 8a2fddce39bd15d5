package schema

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"portaldb/internal/catalog"
	"portaldb/internal/lint"
)

// Repair is one statement that brings a database made by the legacy scripts to the baseline.
type Repair struct {
	SQL   string         `json:"sql"`
	Locks []catalog.Lock `json:"locks"`
	// Tx tells that it runs in the one transaction that also records the versions; an index that is built beside running
	// writers comes before it.
	Tx bool `json:"tx"`
	// MS is about how long it takes, told from the size of the table.
	MS int64 `json:"estimated_ms"`

	phase int
	// index is what a statement outside the transaction builds.
	index *catalog.Object
}

// Blocked is a difference that adopt leaves to a person.
type Blocked struct {
	Difference catalog.Difference `json:"difference"`
	Why        string             `json:"why"`
	// SQL is a way to repair it, to be read and decided upon first.
	SQL string `json:"sql"`
	// Rows are the keys of rows that stand in the way, those of one group together; personal data in them is masked. There
	// are RowCount of them, of which the first are listed.
	Rows     []string `json:"rows"`
	RowCount int64    `json:"row_count"`
}

// The order in which repairs depend on one another.
const (
	phaseRename  = iota // frees names
	phaseType           // extensions, enums, functions, sequences
	phaseColumn         // of tables that exist
	phaseTable          // new ones, as their migration makes them
	phaseIndex          // in the transaction: over new columns
	phaseUnique         // what foreign keys refer to
	phaseForeign        // and other constraints
	phaseTrigger        // and views
	phaseRow            // reference rows
)

// repairer works out what brings a live schema to the expected one: what a machine can do without losing anything, and
// what a person must decide.
type repairer struct {
	engine *Engine
	db     querier
	// want is the baseline, live the schema as it is.
	want, live catalog.Catalog
	sizes      map[string]size
	// whole are the objects that the migration brings which made them first: all that it adds is missing.
	whole map[catalog.Key]bool

	repairs []Repair
	blocked []Blocked
}

// size is how large a table is, as the statistics have it.
type size struct{ rows, bytes int64 }

// plan fills repairs and blocked from the differences that nobody has accepted.
func (p *repairer) plan(ctx context.Context, v Verification) error {
	var err error
	if p.sizes, err = tableSizes(ctx, p.db); err != nil {
		return err
	}
	if err := p.wholeFiles(v.Differences); err != nil {
		return err
	}
	for _, d := range v.Differences {
		if !d.Drift() {
			continue
		}
		var err error
		switch d.Class {
		case catalog.Missing:
			err = p.missing(ctx, d)
		case catalog.Extra:
			p.extra(d)
		case catalog.Renamed:
			p.renamed(d)
		case catalog.Different:
			err = p.different(ctx, d)
		}
		if err != nil {
			return fmt.Errorf("look how to repair %s %s: %w", d.Kind, d.Object, err)
		}
	}
	p.referenceRows()
	slices.SortStableFunc(p.repairs, func(a, b Repair) int { return cmp.Compare(a.phase, b.phase) })
	slices.SortStableFunc(p.repairs, func(a, b Repair) int { return cmp.Compare(btoi(a.Tx), btoi(b.Tx)) })
	return nil
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// repair adds a statement of the transaction.
func (p *repairer) repair(phase int, table, sql string) {
	r := Repair{SQL: sql, Locks: lint.Locks(sql), Tx: true, phase: phase}
	for i := range r.Locks {
		// The parser takes any function for one that rewrites; volatile ones have been kept out of here.
		r.Locks[i].Rewrites = false
		if r.Locks[i].Scans {
			r.MS += p.sizes[r.Locks[i].Relation].bytes / scanRate
		}
	}
	if r.Locks == nil {
		r.Locks = []catalog.Lock{}
	}
	if phase == phaseIndex {
		r.MS = p.indexTime(table, sql)
	}
	p.repairs = append(p.repairs, r)
}

// build adds an index that is built beside running writers.
func (p *repairer) build(index catalog.Object) {
	sql := "create " + uniqueWord(index) + "index concurrently " + index.Name + " on " + index.Parent + " using " + index.Attrs["definition"]
	p.repairs = append(p.repairs, Repair{SQL: sql, Locks: lint.Locks(sql), MS: p.indexTime(index.Parent, sql), index: &index})
}

func uniqueWord(index catalog.Object) string {
	if index.Attrs["unique"] != "" {
		return "unique "
	}
	return ""
}

// block leaves a difference to a person.
func (p *repairer) block(d catalog.Difference, why, sql string) {
	p.blocked = append(p.blocked, Blocked{Difference: d, Why: why, SQL: sql, Rows: []string{}})
}

// Rough speeds, in bytes or rows a millisecond, of a server with a warm cache.
const (
	scanRate  = 200_000
	btreeRate = 500
	ginRate   = 30
)

// indexTime is about how long building an index takes: its table is read twice and its entries are sorted.
func (p *repairer) indexTime(table, sql string) int64 {
	rate := int64(btreeRate)
	if strings.Contains(sql, " using gin ") {
		rate = ginRate
	}
	return 2*p.sizes[table].bytes/scanRate + p.sizes[table].rows/rate
}

func tableSizes(ctx context.Context, db querier) (map[string]size, error) {
	rows, err := db.QueryContext(ctx, `
		select quote_ident(n.nspname) || '.' || quote_ident(c.relname), greatest(c.reltuples, 0)::bigint, pg_table_size(c.oid)
		from pg_class c join pg_namespace n on n.oid = c.relnamespace
		where c.relkind in ('r', 'p') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'`)
	if err != nil {
		return nil, fmt.Errorf("read the sizes of tables: %w", err)
	}
	defer rows.Close()
	sizes := map[string]size{}
	for rows.Next() {
		var table string
		var s size
		if err := rows.Scan(&table, &s.rows, &s.bytes); err != nil {
			return nil, fmt.Errorf("read the sizes of tables: %w", err)
		}
		sizes[table] = s
	}
	return sizes, rows.Err()
}

// wholeFiles sends, of each migration whose every object is missing, exactly what goose would send.
func (p *repairer) wholeFiles(differences []catalog.Difference) error {
	p.whole = map[catalog.Key]bool{}
	for _, effect := range p.engine.effects[:Baseline] {
		if len(effect.Added) == 0 || slices.ContainsFunc(effect.Added, func(o catalog.Object) bool {
			_, there := p.live[o.Key()]
			return there || p.taken(o) || slices.ContainsFunc(differences, func(d catalog.Difference) bool {
				return d.Accepted && d.Kind == o.Kind && d.Object == o.Key().QualifiedName()
			})
		}) {
			continue
		}
		statements, tx, err := Statements(p.engine.files[effect.Version-1], true)
		if err != nil {
			return err
		}
		if !tx {
			continue
		}
		phase := phaseType
		for _, o := range effect.Added {
			p.whole[o.Key()] = true
			switch o.Kind {
			case "table":
				phase = phaseTable
			case "view":
				phase = phaseTrigger
			}
		}
		for _, statement := range statements {
			p.repair(phase, "", strings.TrimSuffix(statement, ";"))
			if phase == phaseTable { // an index or trigger of a new table makes nobody wait
				last := &p.repairs[len(p.repairs)-1]
				last.Locks = slices.DeleteFunc(last.Locks, func(l catalog.Lock) bool {
					return p.live[tableKey(l.Relation)].Kind == ""
				})
			}
		}
	}
	return nil
}

// tableKey is the key of a table by its qualified name.
func tableKey(table string) catalog.Key {
	space := schemaOf(catalog.Object{Parent: table})
	return catalog.Key{Kind: "table", Parent: space, Name: strings.TrimPrefix(table, space+".")}
}

// taken reports whether another relation of the live schema has the name that an object will need.
func (p *repairer) taken(o catalog.Object) bool {
	if !isRelation(o) {
		return false
	}
	for key, live := range p.live {
		if key != o.Key() && key.Name == o.Name && schemaOf(live) == schemaOf(o) && isRelation(live) {
			return true
		}
	}
	return false
}

// isRelation tells what shares one space of names: tables, views, sequences, indexes, and constraints that have one.
func isRelation(o catalog.Object) bool {
	switch o.Kind {
	case "table", "view", "materialized view", "foreign table", "sequence", "index":
		return true
	case "constraint":
		return !strings.HasPrefix(o.Attrs["definition"], "CHECK") && !strings.HasPrefix(o.Attrs["definition"], "FOREIGN")
	}
	return false
}

// wanted finds the expected object of a difference, actual the one that is there.
func (p *repairer) wanted(d catalog.Difference) catalog.Object { return find(p.want, d) }
func (p *repairer) actual(d catalog.Difference) catalog.Object { return find(p.live, d) }

func find(c catalog.Catalog, d catalog.Difference) catalog.Object {
	for key, o := range c {
		if key.Kind == d.Kind && key.QualifiedName() == d.Object {
			return o
		}
	}
	return catalog.Object{}
}

// fileText is the migration that made an object, for a person to take the statement from.
func (p *repairer) fileText(o catalog.Object) string {
	for _, effect := range p.engine.effects[:Baseline] {
		for _, added := range effect.Added {
			if added.Key() == o.Key() {
				statements, _, err := Statements(p.engine.files[effect.Version-1], true)
				if err != nil {
					return ""
				}
				return strings.Join(statements, "\n")
			}
		}
	}
	return ""
}

// hasLost reports whether a table lacks a column that an expression names.
func (p *repairer) hasLost(table, expression string) bool {
	for key := range p.want {
		if key.Kind == "column" && key.Parent == table {
			if _, there := p.live[key]; !there && word(expression, key.Name) {
				return true
			}
		}
	}
	return false
}

func word(text, name string) bool {
	return regexp.MustCompile(`(?:^|\W)` + regexp.QuoteMeta(name) + `(?:\W|$)`).MatchString(text)
}

// onlyAttrs reports whether an object says nothing but what is listed.
func onlyAttrs(o catalog.Object, names ...string) bool {
	for name := range o.Attrs {
		if !slices.Contains(names, name) {
			return false
		}
	}
	return true
}

func (p *repairer) missing(ctx context.Context, d catalog.Difference) error {
	o := p.wanted(d)
	if p.whole[o.Key()] {
		return nil
	}
	if p.taken(o) && o.Kind != "constraint" {
		p.block(d, "something else has its name", "-- rename what is called "+o.Name+" now, then run adopt again")
		return nil
	}
	switch o.Kind {
	case "extension":
		p.repair(phaseType, "", fmt.Sprintf("create extension if not exists %s with schema %s", o.Name, o.Attrs["schema"]))
		return nil
	case "enum":
		if onlyAttrs(o, "values") {
			p.repair(phaseType, "", fmt.Sprintf("create type %s as enum (%s)", d.Object, o.Attrs["values"]))
			return nil
		}
	case "sequence":
		return p.missingSequence(d, o)
	case "column":
		return p.missingColumn(ctx, d, o)
	case "constraint":
		return p.missingConstraint(ctx, d, o)
	case "index":
		if onlyAttrs(o, "definition", "unique") {
			return p.missingIndex(ctx, d, o)
		}
	case "trigger":
		if onlyAttrs(o, "definition") {
			definition := strings.Replace(o.Attrs["definition"], " FOR EACH ", " ON "+o.Parent+" FOR EACH ", 1)
			p.repair(phaseTrigger, o.Parent, "create trigger "+o.Name+" "+definition)
			return nil
		}
	}
	p.block(d, "some of what its migration makes is there already, so that it cannot be run as it is", p.fileText(o))
	return nil
}

func (p *repairer) missingSequence(d catalog.Difference, o catalog.Object) error {
	table, column, _ := cutLast(o.Attrs["owned by"])
	if !onlyAttrs(o, "type", "start", "increment", "minimum", "maximum", "owned by") || table == "" {
		p.block(d, "it has options that are not repaired by machine", p.fileText(o))
		return nil
	}
	p.repair(phaseType, "", fmt.Sprintf("create sequence %s as %s start %s increment %s minvalue %s maxvalue %s",
		d.Object, o.Attrs["type"], o.Attrs["start"], o.Attrs["increment"], o.Attrs["minimum"], o.Attrs["maximum"]))
	key := catalog.Key{Kind: "column", Parent: table, Name: column}
	if _, there := p.live[key]; there { // numbers go on behind the highest; no row may come in between
		p.repair(phaseType, table, "lock table "+table+" in share row exclusive mode")
		p.repair(phaseType, table, fmt.Sprintf("select setval('%s', coalesce((select max(%s) from %s), 0) + 1, false)",
			strings.ReplaceAll(d.Object, "'", "''"), column, table))
	}
	p.repair(phaseTable, table, fmt.Sprintf("alter sequence %s owned by %s", d.Object, o.Attrs["owned by"]))
	return nil
}

// cutLast cuts a qualified name before its last part.
func cutLast(name string) (parent, last string, ok bool) {
	i := strings.LastIndexByte(name, '.')
	if strings.HasSuffix(name, `"`) {
		i = strings.LastIndex(name, `."`)
	}
	if i < 0 {
		return "", name, false
	}
	return name[:i], name[i+1:], true
}

var functionCall = regexp.MustCompile(`(\w+)\s*\(`)

// stable reports whether a default is surely the same for all rows of one statement, so that adding a column with it
// writes none of them.
func stable(expression string) bool {
	expression = regexp.MustCompile(`'(?:[^']|'')*'`).ReplaceAllString(expression, "''")
	for _, call := range functionCall.FindAllStringSubmatch(expression, -1) {
		switch strings.ToLower(call[1]) {
		case "now", "extract":
		default:
			return false
		}
	}
	return true
}

func columnDefinition(o catalog.Object) string {
	sql := o.Name + " " + o.Attrs["type"]
	if v := o.Attrs["generated"]; v != "" {
		sql += " generated always as (" + v + ") stored"
	}
	if v := o.Attrs["default"]; v != "" {
		sql += " default " + v
	}
	if o.Attrs["not null"] != "" {
		sql += " not null"
	}
	return sql
}

func (p *repairer) missingColumn(ctx context.Context, d catalog.Difference, o catalog.Object) error {
	if p.want[tableKey(o.Parent)].Kind == "" { // of a view: the view's difference tells it
		p.block(d, "the view lacks it", p.fileText(find(p.want, catalog.Difference{Kind: "view", Object: o.Parent})))
		return nil
	}
	sql := "alter table " + o.Parent + " add column " + columnDefinition(o)
	rows, err := p.hasRows(ctx, o.Parent)
	switch {
	case err != nil:
		return err
	case !onlyAttrs(o, "type", "not null", "default", "generated", "position"):
		p.block(d, "it has options that are not repaired by machine", p.fileText(o))
	case rows && o.Attrs["generated"] != "":
		p.block(d, "computing it writes every row anew, while readers and writers wait", sql)
	case rows && !stable(o.Attrs["default"]):
		p.block(d, "its default is another one for each row, so that adding it writes every row anew, while readers and writers wait", sql)
	case rows && o.Attrs["not null"] != "" && o.Attrs["default"] == "":
		p.block(d, "it must not be null and has no default: somebody has to say what the rows that are there get",
			fmt.Sprintf("alter table %s add column %s %s;\nupdate %s set %s = ...;\nalter table %s alter column %s set not null", o.Parent, o.Name, o.Attrs["type"], o.Parent, o.Name, o.Parent, o.Name))
	default:
		p.repair(phaseColumn, o.Parent, sql)
	}
	return nil
}

var plainKey = regexp.MustCompile(`^(UNIQUE|PRIMARY KEY) (\([^()]*\))$`)

func (p *repairer) missingConstraint(ctx context.Context, d catalog.Difference, o catalog.Object) error {
	definition := o.Attrs["definition"]
	add := fmt.Sprintf("alter table %s add constraint %s %s", o.Parent, o.Name, definition)
	if !onlyAttrs(o, "definition") {
		p.block(d, "it has options that are not repaired by machine", add)
		return nil
	}
	key := plainKey.FindStringSubmatch(definition)
	lost := p.hasLost(o.Parent, definition)
	switch {
	case key != nil:
		index := catalog.Object{Kind: "index", Parent: o.Parent, Name: o.Name, Attrs: map[string]string{"definition": "btree " + key[2], "unique": "true"}}
		if there, ok := p.live[index.Key()]; p.taken(o) && (!ok || there.Attrs["definition"] != index.Attrs["definition"] || there.Attrs["unique"] == "") {
			p.block(d, "something else has its name", "-- rename what is called "+o.Name+" now, then run adopt again")
			return nil
		}
		if lost {
			p.repair(phaseUnique, o.Parent, add)
			return nil
		}
		blocked, err := p.duplicates(ctx, d, index)
		if err != nil || blocked {
			return err
		}
		p.build(index)
		p.repair(phaseUnique, o.Parent, fmt.Sprintf("alter table %s add constraint %s %s using index %s", o.Parent, o.Name, strings.ToLower(key[1]), o.Name))
		return nil
	case strings.HasPrefix(definition, "CHECK"), strings.HasPrefix(definition, "FOREIGN KEY"):
		if !lost {
			blocked, err := p.violations(ctx, d, o)
			if err != nil || blocked {
				return err
			}
		}
		p.repair(phaseForeign, o.Parent, add)
	default:
		p.block(d, "constraints of this kind are not repaired by machine", add)
	}
	return nil
}

func (p *repairer) missingIndex(ctx context.Context, d catalog.Difference, o catalog.Object) error {
	if p.hasLost(o.Parent, o.Attrs["definition"]) {
		p.repair(phaseIndex, o.Parent, "create "+uniqueWord(o)+"index "+o.Name+" on "+o.Parent+" using "+o.Attrs["definition"])
		return nil
	}
	blocked, err := p.tooLong(ctx, d, o)
	if err != nil || blocked {
		return err
	}
	if o.Attrs["unique"] != "" {
		blocked, err := p.duplicates(ctx, d, o)
		if err != nil || blocked {
			return err
		}
	}
	p.build(o)
	return nil
}

// extra leaves what is not of the baseline to a person. What an earlier, interrupted adopt built for a constraint is not.
func (p *repairer) extra(d catalog.Difference) {
	o := p.actual(d)
	table := o.Parent
	if o.Kind == "index" {
		constraint := o.Key()
		constraint.Kind = "constraint"
		_, wanted := p.want[constraint]
		_, there := p.live[constraint]
		if wanted && !there {
			return // with the missing constraint
		}
	}
	var sql string
	why := "it is not of the baseline; dropping it is for a person to decide, accepting it keeps it"
	switch o.Kind {
	case "column":
		sql = "alter table " + table + " drop column " + o.Name
		why = "it is not of the baseline, and dropping it would lose what it holds; accepting it keeps it"
		if o.Attrs["not null"] != "" && o.Attrs["default"] == "" {
			why += ", but what portaldb inserts does not fill it"
		}
	case "constraint":
		sql = "alter table " + table + " drop constraint " + o.Name
	case "index":
		sql = "drop index concurrently " + schemaOf(o) + "." + o.Name
	case "trigger", "policy", "rule":
		sql = "drop " + o.Kind + " " + o.Name + " on " + table
	case "enum", "domain", "range", "composite type":
		sql = "drop type " + d.Object
	default:
		sql = "drop " + o.Kind + " " + d.Object
	}
	if o.Kind == "table" {
		why = "it is not of the baseline, and dropping it would lose its rows; accepting it keeps it"
	}
	p.block(d, why, sql)
}

func (p *repairer) renamed(d catalog.Difference) {
	o := p.wanted(d)
	if p.taken(o) {
		p.block(d, "something else has the name that it should have", "-- rename what is called "+o.Name+" now, then run adopt again")
		return
	}
	switch o.Kind {
	case "constraint":
		p.repair(phaseRename, o.Parent, fmt.Sprintf("alter table %s rename constraint %s to %s", o.Parent, d.Actual, o.Name))
	case "index":
		p.repair(phaseRename, o.Parent, fmt.Sprintf("alter index %s.%s rename to %s", schemaOf(o), d.Actual, o.Name))
	case "trigger":
		p.repair(phaseRename, o.Parent, fmt.Sprintf("alter trigger %s on %s rename to %s", d.Actual, o.Parent, o.Name))
	case "column":
		p.block(d, "it may be the same column under another name, or another one of the same type: a machine cannot tell",
			fmt.Sprintf("-- the same:\nalter table %s rename column %s to %s;\n-- another one:\nalter table %s add column %s", o.Parent, d.Actual, o.Name, o.Parent, columnDefinition(o)))
	default:
		p.block(d, "it may be the same under another name, or another one of the same form: a machine cannot tell",
			fmt.Sprintf("-- the same:\nalter %s %s.%s rename to %s", o.Kind, o.Parent, d.Actual, o.Name))
	}
}

// changed lists the attributes in which two objects differ.
func changed(a, b catalog.Object) []string {
	var names []string
	for name, value := range a.Attrs {
		if name != "position" && b.Attrs[name] != value {
			names = append(names, name)
		}
	}
	for name := range b.Attrs {
		if _, ok := a.Attrs[name]; !ok && name != "position" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func (p *repairer) different(ctx context.Context, d catalog.Difference) error {
	want, live := p.wanted(d), p.actual(d)
	names := changed(want, live)
	only := func(name string) bool { return len(names) == 1 && names[0] == name }
	switch {
	case want.Kind == "column":
		return p.differentColumn(ctx, d, want, live, names)
	case want.Kind == "index" && only("invalid"): // what a build that was interrupted left: nobody reads it
		return p.missingIndex(ctx, d, want)
	case want.Kind == "index":
		p.block(d, "an index of this name means something else", fmt.Sprintf("drop index concurrently %s.%s;\ncreate %sindex concurrently %s on %s using %s",
			schemaOf(want), want.Name, uniqueWord(want), want.Name, want.Parent, want.Attrs["definition"]))
	case want.Kind == "constraint" && only("not valid") && want.Attrs["not valid"] == "":
		blocked, err := p.violations(ctx, d, want)
		if err != nil || blocked {
			return err
		}
		p.repair(phaseForeign, want.Parent, fmt.Sprintf("alter table %s validate constraint %s", want.Parent, want.Name))
	case want.Kind == "constraint":
		p.block(d, "a constraint of this name means something else: what it lets in or keeps out changes with it", fmt.Sprintf("alter table %s drop constraint %s, add constraint %s %s",
			want.Parent, want.Name, want.Name, want.Attrs["definition"]))
	case want.Kind == "trigger":
		sql := "create or replace trigger " + want.Name + " " + strings.Replace(want.Attrs["definition"], " FOR EACH ", " ON "+want.Parent+" FOR EACH ", 1)
		if only("enabled") {
			sql = fmt.Sprintf("alter table %s enable trigger %s", want.Parent, want.Name)
		}
		p.block(d, "somebody has changed or disabled it, and adopt does not know why", sql)
	case want.Kind == "function", want.Kind == "view":
		sql := regexp.MustCompile(`(?i)^create (function|view)`).ReplaceAllString(p.fileText(want), "CREATE OR REPLACE $1")
		p.block(d, "replacing it would lose what stands there", sql)
	default:
		p.block(d, "it is for a person to decide which of the two is right", attributeSQL(want, live, names))
	}
	return nil
}

func (p *repairer) differentColumn(ctx context.Context, d catalog.Difference, want, live catalog.Object, names []string) error {
	alter := "alter table " + want.Parent + " alter column " + want.Name
	var machine, person, why []string
	for _, name := range names {
		expected, actual := want.Attrs[name], live.Attrs[name]
		switch {
		case name == "default" && actual == "":
			machine = append(machine, alter+" set default "+expected)
		case name == "not null" && expected != "":
			blocked, err := p.nulls(ctx, d, want)
			if err != nil || blocked {
				return err
			}
			machine = append(machine, alter+" set not null")
		case name == "default" && expected == "":
			person, why = append(person, alter+" drop default"), append(why, "its default is not of the baseline")
		case name == "default":
			person, why = append(person, alter+" set default "+expected), append(why, "it has another default")
		case name == "not null":
			person, why = append(person, alter+" drop not null"), append(why, "it must not be null, which is stricter than the baseline")
		case name == "type":
			person = append(person, fmt.Sprintf("%s type %s", alter, expected))
			loss := "changing it may fail on values or lose some"
			if slices.Contains(widening[actual], expected) {
				loss = "widening it loses nothing"
			}
			why = append(why, fmt.Sprintf("its type is %s; %s, and writes the table anew while readers and writers wait, for about %s", actual, loss, p.rewriteTime(want.Parent)))
		case name == "generated":
			person = append(person, fmt.Sprintf("alter table %s drop column %s, add column %s", want.Parent, want.Name, columnDefinition(want)))
			why = append(why, fmt.Sprintf("it is computed in another way: computing it anew changes what rows say, and writes the table anew while readers and writers wait, for about %s", p.rewriteTime(want.Parent)))
		default:
			person, why = append(person, attributeSQL(want, live, []string{name})), append(why, "its "+name+" is another one")
		}
	}
	if len(person) > 0 {
		p.block(d, strings.Join(why, "; "), strings.Join(append(person, machine...), ";\n"))
		return nil
	}
	for _, sql := range machine {
		p.repair(phaseColumn, want.Parent, sql)
	}
	return nil
}

// widening lists, for a type, those that hold all of its values.
var widening = map[string][]string{"smallint": {"integer", "bigint"}, "integer": {"bigint"}}

func (p *repairer) rewriteTime(table string) string {
	return fmt.Sprintf("%d s", 1+4*p.sizes[table].bytes/scanRate/1000)
}

// attributeSQL is how a person gives an object the attributes that it should have.
func attributeSQL(want, live catalog.Object, names []string) string {
	kind, name := want.Kind, want.Key().QualifiedName()
	var lines []string
	for _, attr := range names {
		switch attr {
		case "grants":
			for _, grant := range strings.Split(live.Attrs["grants"], "; ") {
				if role, _, ok := strings.Cut(grant, ": "); ok && (kind == "table" || kind == "view" || kind == "sequence") {
					if kind == "view" {
						kind = "table"
					}
					lines = append(lines, fmt.Sprintf("revoke all on %s %s from %s", kind, name, role))
				}
			}
		case "comment":
			text := "null"
			if want.Attrs["comment"] != "" {
				text = quoteLiteral(want.Attrs["comment"])
			}
			lines = append(lines, fmt.Sprintf("comment on %s %s is %s", kind, name, text))
		case "owner":
			lines = append(lines, fmt.Sprintf("alter %s %s owner to ...", kind, name))
		case "row security":
			lines = append(lines, fmt.Sprintf("alter table %s disable row level security, no force row level security", name))
		case "values":
			lines = append(lines, "-- alter type "+name+" add value ... before ...; values cannot be removed")
		default:
			lines = append(lines, fmt.Sprintf("-- %s %s: give it %s = %q", kind, name, attr, want.Attrs[attr]))
		}
	}
	return strings.Join(lines, ";\n")
}

func quoteLiteral(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }

// referenceRows fills the reference tables that the repair makes, in the order of the effects, which has parents first. In a
// table that is there no row is touched: somebody may have taken one out on purpose.
func (p *repairer) referenceRows() {
	for _, effect := range p.engine.effects[:Baseline] {
		for _, o := range effect.Rows {
			space, name, _ := strings.Cut(o.Parent, ".")
			if _, there := p.live[catalog.Key{Kind: "table", Parent: space, Name: name}]; !there {
				p.repair(phaseRow, o.Parent, insertReference(o))
			}
		}
	}
}

// insertReference is the statement that puts a reference row in.
func insertReference(o catalog.Object) string {
	value := func(attr string) string {
		if v, ok := o.Attrs[attr]; ok {
			return quoteLiteral(v)
		}
		return "null"
	}
	if o.Parent == "public.org_units" {
		return fmt.Sprintf("insert into public.org_units (parent_id, code, name, active) values ((select id from public.org_units where code = %s), %s, %s, %s) on conflict do nothing",
			value("parent"), quoteLiteral(o.Name), value("name"), value("active"))
	}
	return fmt.Sprintf("insert into %s (name, description) values (%s, %s) on conflict do nothing", o.Parent, quoteLiteral(o.Name), value("description"))
}
