package lint

var syntax = Rule{
	Name:       "syntax",
	Severity:   Error,
	What:       "A statement that PostgreSQL's parser cannot read.",
	Why:        "It fails when it is applied, and no other rule can look at it.",
	Safe:       `ALTER TABLE {table} ADD COLUMN {column} text;`,
	everywhere: true,
	down:       true,
	half:       checkSyntax,
}

func checkSyntax(h *half) {
	for _, u := range h.unreadable {
		h.add(u.line, u.first, u.last, "PostgreSQL cannot read this: "+u.message, nil)
	}
}
