package lint

import (
	"fmt"
)

var noTransactionStatements = Rule{
	Name:     "no-transaction-statements",
	Severity: Error,
	What:     "A NO TRANSACTION file with more than one statement in a half.",
	Why: "A crash between the two leaves a schema that belongs to no version, and nothing can tell which statement is " +
		"done.",
	Safe: `-- +goose NO TRANSACTION
-- +goose Up
{create};

-- +goose Down
{drop};`,
	everywhere: true,
	refused:    true,
	down:       true,
	half:       checkNoTransactionStatements,
}

func checkNoTransactionStatements(h *half) {
	name, count, texts := "Up", len(h.statements)+len(h.unreadable), h.Up.Statements
	if !h.goingUp {
		name, texts = "Down", h.Down.Statements
	}
	if count = max(count, len(texts)); !h.tx && count > 1 {
		h.report(texts[0].Line, fmt.Sprintf("its %s has %d statements; a NO TRANSACTION file holds exactly one, so that a crash leaves nothing half done", name, count))
	}
}
