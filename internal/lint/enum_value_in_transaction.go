package lint

import (
	"regexp"
	"strings"
)

var enumValueInTransaction = Rule{
	Name:     "enum-value-in-transaction",
	Severity: Error,
	What:     "A value that ALTER TYPE ADD VALUE adds is used in the same transaction.",
	Why:      "PostgreSQL refuses: the value may be used only after the transaction that adds it.",
	Safe: `-- in one file
ALTER TYPE {type} ADD VALUE 'archived';
-- in a later one
ALTER TABLE {table} ALTER COLUMN {column} SET DEFAULT 'archived';`,
	half: checkEnumValueInTransaction,
}

func checkEnumValueInTransaction(h *half) {
	if !h.tx {
		return
	}
	fresh := map[string]bool{}
	added := map[string]string{} // quoted values, and their types
	for _, s := range h.statements {
		if len(added) > 0 && s.node.GetAlterEnumStmt() == nil {
			for _, value := range literal.FindAllString(s.sql, -1) {
				if typ := added[value]; typ != "" {
					s.report(0, value+" was added to "+display(typ)+" in this transaction and cannot be used before its end; use it in a later file", "{type}", display(typ))
					break
				}
			}
		}
		for _, o := range created(s.node) {
			if o.kind == "type" {
				fresh[o.key()] = true
			}
		}
		if e := s.node.GetAlterEnumStmt(); e != nil && e.OldVal == "" {
			if key := named("type", words(e.TypeName)).key(); !fresh[key] {
				added["'"+strings.ReplaceAll(e.NewVal, "'", "''")+"'"] = key
			}
		}
	}
}

var literal = regexp.MustCompile(`'(?:[^']|'')*'`)
