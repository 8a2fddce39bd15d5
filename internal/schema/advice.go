package schema

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"portaldb/internal/catalog"
)

// Advice tells whether rolling back the binary is enough.
type Advice struct {
	// Enough tells that every statement of the releases that would serve then works on the schema as it is, and that no
	// step adds something that refuses rows which those releases write.
	Enough bool `json:"enough"`
	// Releases are those that would serve at the target version: the newest recorded one, and the legacy service.
	Releases []ReleaseAdvice `json:"releases"`
	// Tightened are the objects that may refuse what an older release writes; PREPARE cannot see them.
	Tightened []string `json:"tightened"`
	// Text says it in a sentence.
	Text string `json:"text"`
}

// ReleaseAdvice is a release asked against the schema as it is.
type ReleaseAdvice struct {
	Release string `json:"release"`
	Version int64  `json:"version"` // the latest migration that it knows
	// Broken are its statements that do not prepare, by name, with what the server says.
	Broken map[string]string `json:"broken"`
}

// LegacyRelease is the legacy service, as a release: the client that matters most, and the one that cannot report itself.
const LegacyRelease = "legacy"

//go:embed legacy_release.sql
var legacySQL string

var statementName = regexp.MustCompile(`(?m)^-- name: (\w+)\n`)

// Legacy is the legacy service with the statements that it sends to the three central tables.
func Legacy() Release {
	release := Release{Name: LegacyRelease, Statements: map[string]string{}}
	marks := statementName.FindAllStringSubmatchIndex(legacySQL, -1)
	for i, m := range marks {
		end := len(legacySQL)
		if i+1 < len(marks) {
			end = marks[i+1][0]
		}
		release.Statements[legacySQL[m[2]:m[3]]] = strings.TrimSuffix(strings.TrimSpace(legacySQL[m[1]:end]), ";")
	}
	return release
}

// prepare has the server prepare a release's statements and returns those that it refuses. inside tells that a transaction
// is open, which such a statement would end.
func prepare(ctx context.Context, conn *pgx.Conn, release Release, inside bool) (map[string]string, error) {
	broken := map[string]string{}
	exec := func(sql string) error {
		if !inside {
			return nil
		}
		_, err := conn.Exec(ctx, sql)
		return err
	}
	if err := exec("savepoint portaldb_prepare"); err != nil {
		return nil, err
	}
	for name, sql := range release.Statements {
		// Unnamed, so that nothing of it stays in the session.
		_, err := conn.PgConn().Prepare(ctx, "", sql, nil)
		var pgErr *pgconn.PgError
		switch {
		case errors.As(err, &pgErr) && !isLockState(pgErr.Code): // behind a lock nothing is known
			broken[name] = fmt.Sprintf("%s (SQLSTATE %s)", pgErr.Message, pgErr.Code)
			if err := exec("rollback to savepoint portaldb_prepare"); err != nil {
				return nil, err
			}
		case err != nil:
			return nil, fmt.Errorf("prepare %s: %w", name, err)
		}
	}
	return broken, exec("release savepoint portaldb_prepare")
}

// readReleases returns the releases that have worked here, the newest first.
func readReleases(ctx context.Context, conn *pgx.Conn) (releases []Release, versions []int64, err error) {
	var exists bool
	if err := conn.QueryRow(ctx, `select to_regclass('portaldb.releases') is not null`).Scan(&exists); err != nil || !exists {
		return nil, nil, err
	}
	rows, err := conn.Query(ctx, `select release, version, statements from portaldb.releases order by version desc, recorded_at desc, release`)
	if err != nil {
		return nil, nil, fmt.Errorf("read the releases: %w", err)
	}
	var r Release
	var version int64
	var statements []byte
	_, err = pgx.ForEachRow(rows, []any{&r.Name, &version, &statements}, func() error {
		next := Release{Name: r.Name}
		if err := json.Unmarshal(statements, &next.Statements); err != nil {
			return err
		}
		releases, versions = append(releases, next), append(versions, version)
		return nil
	})
	if err != nil {
		return nil, nil, fmt.Errorf("read the releases: %w", err)
	}
	return releases, versions, nil
}

// advise asks the releases that would serve at version to whether they can serve the schema as it is.
func (e *Engine) advise(ctx context.Context, conn *pgx.Conn, to int64, effects []catalog.Effect) (Advice, error) {
	a := Advice{Releases: []ReleaseAdvice{}, Tightened: tightened(effects)}
	releases, versions, err := readReleases(ctx, conn)
	if err != nil {
		return a, err
	}
	i := slices.IndexFunc(versions, func(v int64) bool { return v <= to })
	var asked []Release
	var known []int64
	if i >= 0 {
		asked, known = releases[i:i+1], versions[i:i+1]
	}
	if e.config.Baseline > 0 {
		asked, known = append(slices.Clip(asked), Legacy()), append(slices.Clip(known), e.config.Baseline)
	}
	var names, broken []string
	for i, release := range asked {
		found, err := prepare(ctx, conn, release, false)
		if err != nil {
			return a, err
		}
		a.Releases = append(a.Releases, ReleaseAdvice{Release: release.Name, Version: known[i], Broken: found})
		names = append(names, release.Name)
		if len(found) > 0 {
			broken = append(broken, release.Name)
		}
	}
	a.Enough = len(asked) > 0 && len(broken) == 0 && len(a.Tightened) == 0
	switch {
	case a.Enough:
		a.Text = "no schema change is needed: every statement of " + strings.Join(names, " and ") + " works on the schema as it is; rolling back the binary is enough"
	case len(asked) == 0:
		a.Text = "no release that knows no more than version " + fmt.Sprint(to) + " has worked here, so nobody can say whether rolling back the binary is enough"
	case len(broken) > 0:
		a.Text = "rolling back the binary is not enough: statements of " + strings.Join(broken, " and ") + " do not work on the schema as it is"
	default:
		a.Text = "rolling back the binary may not be enough: " + strings.Join(a.Tightened, ", ") + " may refuse what an older release writes"
	}
	return a, nil
}

// changedMeaning tells changes that PREPARE does not see, of what a value may be or who may do what: another type of a column or
// attribute, the values of an enum, what a domain allows, rights and row security that are narrower, the body of a trigger.
func changedMeaning(c catalog.Change) bool {
	before, now := c.Before.Attrs, c.After.Attrs
	switch {
	case before["grants"] != "" && !strings.HasPrefix(now["grants"], before["grants"]), now["row security"] != before["row security"] && now["row security"] != "":
		return true
	case c.After.Kind == "column":
		return before["type"] != now["type"]
	case c.After.Kind == "enum":
		return !strings.Contains(now["values"], before["values"])
	case c.After.Kind == "domain":
		return before["not null"] != now["not null"]
	case c.After.Kind == "trigger":
		return before["definition"] != now["definition"]
	case c.After.Kind == "function":
		return now["returns"] == "trigger" && before["body"] != now["body"]
	}
	return false
}

// tightened are the objects, on tables that were there before, which may refuse what older code writes.
func tightened(effects []catalog.Effect) []string {
	list := []string{}
	for _, effect := range effects {
		made := map[string]bool{}
		for _, o := range effect.Added {
			if o.Kind == "table" {
				made[o.Key().QualifiedName()] = true
			}
		}
		for _, o := range effect.Added {
			definition := o.Attrs["definition"]
			tight := false
			switch o.Kind {
			case "constraint":
				tight = slices.ContainsFunc([]string{"CHECK", "FOREIGN KEY", "UNIQUE", "PRIMARY KEY", "EXCLUDE"}, func(word string) bool { return strings.HasPrefix(definition, word) })
			case "index":
				tight = o.Attrs["unique"] != ""
			case "trigger", "rule", "policy":
				tight = true
			case "column":
				tight = o.Attrs["not null"] != "" && o.Attrs["default"] == "" && o.Attrs["generated"] == "" && o.Attrs["identity"] == ""
			}
			if tight && !made[o.Parent] {
				list = append(list, fmt.Sprintf("%s %s", o.Kind, o.Key().QualifiedName()))
			}
		}
		for _, o := range effect.Removed {
			// ON CONFLICT looks for one when it runs, not before.
			definition := o.Attrs["definition"]
			if o.Kind == "index" && o.Attrs["unique"] != "" || o.Kind == "constraint" && (strings.HasPrefix(definition, "UNIQUE") || strings.HasPrefix(definition, "PRIMARY KEY")) {
				list = append(list, fmt.Sprintf("the missing %s %s", o.Kind, o.Key().QualifiedName()))
			}
		}
		for _, c := range effect.Changed {
			if changedMeaning(c) || c.After.Kind == "column" && c.Before.Attrs["not null"] == "" && c.After.Attrs["not null"] != "" ||
				c.After.Kind == "column" && c.Before.Attrs["default"] != "" && c.After.Attrs["default"] == "" && c.After.Attrs["not null"] != "" ||
				c.After.Kind == "constraint" && c.Before.Attrs["definition"] != c.After.Attrs["definition"] {
				list = append(list, fmt.Sprintf("%s %s", c.After.Kind, c.After.Key().QualifiedName()))
			}
		}
	}
	return list
}
