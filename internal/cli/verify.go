package cli

import (
	"context"
	"fmt"
	"os"
	"strings"

	"portaldb/internal/catalog"
	"portaldb/internal/schema"
)

// accepting is what the commands take that compare schemas.
type accepting struct {
	Accept string `placeholder:"FILE" help:"A reviewed file of differences to accept: the --json output, with a reason in each of them."`
}

// differences reads the file, if there is one.
func (a accepting) differences() ([]catalog.Difference, error) {
	if a.Accept == "" {
		return nil, nil
	}
	data, err := os.ReadFile(a.Accept)
	if err != nil {
		return nil, usageError{"--accept takes a readable file: " + err.Error()}
	}
	differences, err := schema.ParseAccepted(data)
	if err != nil {
		return nil, usageError{fmt.Sprintf("--accept %s: %v", a.Accept, err)}
	}
	return differences, nil
}

type verifyCommand struct {
	migrating
	accepting
}

// Help is the long help.
func (verifyCommand) Help() string {
	return `Compares the live schema with the one that its version should have: with a scratch database on the same server where the login
may create one, which is removed again, else with the effect files. Ends with 3 on a difference that nobody has accepted. The order
of columns, edited reference rows and what belongs to others are told, and are no drift. Changes nothing without --accept.

Examples:

    portaldb verify
    portaldb verify --json > differences.json
    portaldb verify --accept differences.json`
}

// Run compares, and prints what differs.
func (c verifyCommand) Run(ctx context.Context, a *app) error {
	engine, err := c.engine(a)
	if err != nil {
		return err
	}
	accept, err := c.differences()
	if err != nil {
		return err
	}
	v, err := engine.Verify(ctx, accept)
	if err != nil {
		return err
	}
	if err := a.print(v, verifyText(engine.Target(), v)); err != nil {
		return err
	}
	if v.Drift() {
		return errNo
	}
	return nil
}

func verifyText(target string, v schema.Verification) string {
	var b strings.Builder
	drift, accepted := 0, 0
	for _, d := range v.Differences {
		if d.Drift() {
			drift++
		} else {
			accepted++
		}
	}
	against := "a scratch database at the same version"
	if v.Against == schema.AgainstEffects {
		against = "the effect files"
		if v.Why != nil {
			against += "; " + *v.Why
		}
	}
	fmt.Fprintf(&b, "database  %s\nversion   %d, compared with %s\n", target, v.Version, against)
	switch {
	case drift > 0:
		fmt.Fprintf(&b, "drift     %s\n", count(drift, "difference"))
	case accepted > 0:
		fmt.Fprintf(&b, "drift     none; %s accepted\n", count(accepted, "difference"))
	default:
		b.WriteString("drift     none\n")
	}
	differencesText(&b, v.Differences)
	section(&b, "Edited or missing reference rows, no drift", v.ReferenceRows)
	section(&b, "Columns in another order, no drift", v.ColumnOrder)
	notOwnedText(&b, v.NotOwned)
	notFoundText(&b, v.NotFound)
	return b.String()
}

// differencesText lists differences with what was expected and what is there, and why one is accepted.
func differencesText(b *strings.Builder, differences []catalog.Difference) {
	for _, d := range differences {
		fmt.Fprintf(b, "\n%s %s %s\n", d.Class, d.Kind, d.Object)
		if d.Expected != "" {
			fmt.Fprintf(b, "  expected  %s\n", d.Expected)
		}
		if d.Actual != "" {
			fmt.Fprintf(b, "  actual    %s\n", d.Actual)
		}
		if d.Accepted {
			fmt.Fprintf(b, "  accepted  %s\n", d.Reason)
		}
	}
}

func section(b *strings.Builder, title string, differences []catalog.Difference) {
	if len(differences) == 0 {
		return
	}
	fmt.Fprintf(b, "\n%s\n", title)
	for _, d := range differences {
		fmt.Fprintf(b, "  %s %s %s\n", d.Class, d.Kind, d.Object)
		if d.Expected != "" {
			fmt.Fprintf(b, "    expected  %s\n", d.Expected)
		}
		if d.Actual != "" {
			fmt.Fprintf(b, "    actual    %s\n", d.Actual)
		}
	}
}

func notOwnedText(b *strings.Builder, others []schema.NotOwned) {
	if len(others) > 0 {
		b.WriteString("\nNot portaldb's, not looked into\n")
	}
	for _, o := range others {
		fmt.Fprintf(b, "  %s %s\n", o.Kind, o.Object)
	}
}

func notFoundText(b *strings.Builder, notFound []catalog.Difference) {
	if len(notFound) == 0 {
		return
	}
	b.WriteString("\nTo be accepted, but not there: nothing was recorded for\n")
	for _, d := range notFound {
		fmt.Fprintf(b, "  %s %s %s\n", d.Class, d.Kind, d.Object)
	}
}

// count writes a number of things.
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
