package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"portaldb/internal/schema"
)

type adoptCommand struct {
	migrating
	accepting
	Apply bool `help:"Do it; without this nothing is changed."`
}

// Help is the long help.
func (adoptCommand) Help() string {
	return `Compares a database that init_db.sql and init_db() made with the baseline, by meaning, and prints what brings it there: what a
machine can do without losing anything as SQL with locks and time, what a person must decide with the SQL to do it. --apply does the
former and records the versions, and does nothing at all while anything is left to a person. The legacy application goes on working.

Without --apply it ends with 0 when nothing differs, 3 when something does, 4 when something is left to a person.

Examples:

    portaldb adopt
    portaldb adopt --json > differences.json
    portaldb adopt --apply --accept differences.json`
}

// Run compares, and with --apply takes over.
func (c adoptCommand) Run(ctx context.Context, a *app) error {
	engine, err := c.engine(a)
	if err != nil {
		return err
	}
	accept, err := c.differences()
	if err != nil {
		return err
	}
	a.logf("%s%s", engine.Target(), inEnvironment(c.Environment))
	adoption, err := engine.Adopt(ctx, schema.AdoptOptions{Apply: c.Apply, Accept: accept})
	if err != nil && len(adoption.Blocked) == 0 {
		return err
	}
	if err := errors.Join(err, a.print(adoption, adoptText(adoption))); err != nil {
		return err
	}
	if err := adoption.Refusal(); err != nil {
		return err
	}
	if adoption.State == schema.StateEmpty || adoption.State == schema.StateLegacy && adoption.Todo() > 0 {
		return errNo
	}
	return nil
}

func adoptText(d schema.Adoption) string {
	var b strings.Builder
	switch {
	case d.State == schema.StateEmpty:
		return "the database has none of the portal's tables: use portaldb up\n"
	case d.State == schema.StateAdopted && !d.Applied:
		return fmt.Sprintf("portaldb runs this database already, at version %d: nothing to do\n", d.Version)
	case d.Applied:
		fmt.Fprintf(&b, "taken over at version %d; portaldb up applies the rest\n", d.Version)
		for _, difference := range d.Differences {
			if difference.Accepted {
				fmt.Fprintf(&b, "accepted  %s %s %s: %s\n", difference.Class, difference.Kind, difference.Object, difference.Reason)
			}
		}
		return b.String()
	}
	against := "a scratch database"
	if d.Against == schema.AgainstEffects {
		against = "the effect files"
		if d.Why != nil {
			against += "; " + *d.Why
		}
	}
	fmt.Fprintf(&b, "made by the legacy scripts; compared with %s\n%s from the baseline", against, count(len(d.Differences), "difference"))
	if accepted := len(d.Differences) - d.Todo(); accepted > 0 {
		fmt.Fprintf(&b, ", %d of them accepted", accepted)
	}
	b.WriteString("\n")
	differencesText(&b, d.Differences)
	section(&b, "Edited or missing reference rows; they stay as they are", d.ReferenceRows)
	notOwnedText(&b, d.NotOwned)
	if len(d.Repair) > 0 {
		fmt.Fprintf(&b, "\nRepair, by --apply, in about %s\n", about(d.MS()))
		repairText(&b, d.Repair)
	}
	if len(d.Blocked) > 0 {
		fmt.Fprintf(&b, "\nLeft to a person: do it, or accept the difference. Nothing is changed before\n")
		for _, blocked := range d.Blocked {
			blockedText(&b, blocked)
		}
	}
	notFoundText(&b, d.NotFound)
	if len(d.Blocked) == 0 {
		b.WriteString("\nportaldb adopt --apply takes it over.\n")
	}
	return b.String()
}

func repairText(b *strings.Builder, repairs []schema.Repair) {
	tx := false
	for _, r := range repairs {
		if r.Tx && !tx {
			b.WriteString("\n  begin;\n")
			tx = true
		}
		fmt.Fprintf(b, "\n%s;\n", indented(r.SQL, "  "))
		for _, lock := range r.Locks {
			fmt.Fprintf(b, "  -- %s: %s\n", lock, lock.Blocks())
		}
		if r.MS >= 10 {
			fmt.Fprintf(b, "  -- about %s\n", about(r.MS))
		}
	}
	if tx {
		b.WriteString("\n  -- versions, history, comparison\n  commit;\n")
	}
}

func blockedText(b *strings.Builder, blocked schema.Blocked) {
	d := blocked.Difference
	fmt.Fprintf(b, "\n  %s %s %s\n    %s\n", d.Class, d.Kind, d.Object, blocked.Why)
	for _, row := range blocked.Rows {
		fmt.Fprintf(b, "    row %s\n", row)
	}
	if more := blocked.RowCount - int64(len(blocked.Rows)); more > 0 && int64(len(blocked.Rows)) >= 50 {
		fmt.Fprintf(b, "    %d rows in all\n", blocked.RowCount)
	}
	fmt.Fprintf(b, "\n%s\n", indented(terminated(blocked.SQL), "      "))
}

// indented puts an indent before every line that has something on it.
func indented(text, indent string) string {
	return strings.ReplaceAll(indent+strings.ReplaceAll(text, "\n", "\n"+indent), "\n"+indent+"\n", "\n\n")
}

// terminated ends SQL with a semicolon, unless its last line is a comment.
func terminated(sql string) string {
	last := sql[strings.LastIndexByte(sql, '\n')+1:]
	if strings.HasSuffix(sql, ";") || strings.HasPrefix(last, "--") {
		return sql
	}
	return sql + ";"
}

// about writes a rough time.
func about(ms int64) string {
	d := time.Duration(ms) * time.Millisecond
	switch {
	case d < time.Second:
		return "a second"
	case d < time.Minute:
		return fmt.Sprintf("%.0f s", d.Seconds())
	default:
		return d.Round(time.Second).String()
	}
}
