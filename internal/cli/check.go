package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"portaldb/internal/catalog"
	"portaldb/internal/devpg"
	"portaldb/internal/lint"
	"portaldb/internal/schema"
)

type checkCommand struct {
	database
	Dir     string  `default:"migrations" placeholder:"DIR" help:"The folder of migrations."`
	Base    *string `placeholder:"REV" help:"The commit that the change is to be merged into: what it does not touch is not measured again, and what it does to the schema is told."`
	Write   bool    `help:"Write the effect files instead of comparing with them."`
	Offline bool    `help:"Leave out what needs a server: round trips, effects, whether queries prepare."`
}

// Help is the long help.
func (checkCommand) Help() string {
	return `All that CI gates on, the cheapest first: the files, lint, what changed since REV, sqlc diff; then, on scratch databases that are
removed again, each migration up, down and up over rows, its effect file, the statements of the release at REV, and sqlc vet. Ends
with 3 when a finding is an error. The server is that of DATABASE_URL, whose login has to be allowed to create databases, or a
private one.

Examples:

    portaldb check
    portaldb check --base origin/main
    portaldb check --dir /tmp/trial --write`
}

// checkReport is what check found, as programs read it.
type checkReport struct {
	Findings []lint.Finding `json:"findings"`
	// Skipped are the steps that were not made, with the reason.
	Skipped []skippedStep `json:"skipped"`
	// Change is what the files since the base do to the schema; nil without a base.
	Change *change `json:"change"`
	// Written are the effect files that --write has brought in step.
	Written bool `json:"written"`
}

type skippedStep struct {
	Step   string `json:"step"`
	Reason string `json:"reason"`
}

// checker is one check under way.
type checker struct {
	checkCommand
	app    *app
	folder fs.FS
	sqlc   *sqlcProject
	// effects are, file by file, those that lie beside them, then the measured ones; zero where there is none.
	effects []catalog.Effect
	linted  int // so many of the findings are those of lint
	base    *checkBase
	report  checkReport
}

// Run checks, and prints what was found.
func (c checkCommand) Run(ctx context.Context, a *app) error {
	if info, err := os.Stat(c.Dir); err != nil || !info.IsDir() {
		return usageError{fmt.Sprintf("there is no folder %s here: run this in the project's root, or name the folder with --dir", c.Dir)}
	}
	if c.Base != nil && *c.Base == "" {
		return usageError{"--base takes a commit, branch or tag; it is empty"}
	}
	if c.Offline && c.Write {
		return usageError{"--write measures on a server: leave --offline out"}
	}
	k := &checker{checkCommand: c, app: a, folder: os.DirFS(c.Dir)}
	k.report.Findings, k.report.Skipped = []lint.Finding{}, []skippedStep{}
	err := k.check(ctx)
	switch {
	case ctx.Err() != nil:
		err = errors.New("interrupted: not everything was looked at; scratch databases are removed")
	case errors.Is(err, schema.ErrNoScratch):
		err = &schema.RefusedError{Reason: "the login may not create databases, in which check measures: ALTER ROLE ... CREATEDB, leave DATABASE_URL unset for a private server, or check --offline"}
	}
	if errors.Is(err, errUsage) {
		return err
	}
	if err != nil { // what was found before is found all the same
		k.skip("the rest", err.Error())
	}
	if printErr := a.print(k.report, k.text()); printErr != nil || err != nil {
		return errors.Join(err, printErr)
	}
	if k.failed() {
		return errNo
	}
	return nil
}

// baseName is what --base names.
func (c checkCommand) baseName() string {
	if c.Base == nil {
		return ""
	}
	return *c.Base
}

// failed reports whether something was found that must not be merged.
func (k *checker) failed() bool {
	return slices.ContainsFunc(k.report.Findings, func(f lint.Finding) bool { return f.Severity == lint.Error })
}

// check makes the steps, the cheapest first.
func (k *checker) check(ctx context.Context) (err error) {
	if k.report.Findings, err = lintFolder(k.report.Findings, k.Dir, nil); err != nil {
		return err
	}
	k.linted = len(k.report.Findings)
	if k.Base != nil {
		if err := k.compareBase(ctx); err != nil {
			return err
		}
	}
	files, err := schema.Files(k.folder)
	switch {
	case err != nil && k.failed():
		k.skip("round trips, effects, queries", err.Error())
		return nil //nolint:nilerr // lint has found it
	case err != nil:
		return err
	}
	if err := k.readEffects(files); err != nil {
		return err
	}
	var why string
	if k.sqlc, why, err = findSqlc(k.Dir); err != nil {
		return err
	}
	if k.sqlc == nil {
		k.skip("queries", why)
	} else {
		k.runSqlc(ctx, nil, "queries-out-of-step", "sqlc generate, and commit what it writes", "diff")
	}
	wide := slices.ContainsFunc(k.report.Findings, func(f lint.Finding) bool { return f.Rule == "cluster-wide" })
	if k.Offline {
		k.skip("round trips, measured effects, prepared queries", "--offline")
	} else if wide && k.DatabaseURL != "" {
		k.skip("round trips, measured effects, prepared queries",
			"a migration changes the whole server, which scratch databases do not keep apart: leave DATABASE_URL unset for a private server")
	} else if err := k.onServer(ctx, func(url string) error { return k.measure(ctx, url, files) }); err != nil {
		return err
	}
	if k.base != nil {
		if err := k.describe(len(files)); err != nil {
			k.skip("what the change does", err.Error())
		}
	}
	return nil
}

func (k *checker) skip(step, reason string) {
	k.report.Skipped = append(k.report.Skipped, skippedStep{step, reason})
}

// found adds what a rule of check's own has found: next is what to type.
func (k *checker) found(rule string, severity lint.Severity, file string, line int, message, next string) {
	k.report.Findings = append(k.report.Findings, lint.Finding{
		Rule: rule, Severity: severity, File: path.Join(filepath.ToSlash(k.Dir), file), Line: max(line, 1), Message: message, Safe: next,
	})
}

const writeEffects = "portaldb check --write"

// readEffects reads the effect files, and says of those that are not measured again whether they are of these files.
func (k *checker) readEffects(files []schema.File) error {
	names, err := fs.Glob(k.folder, "effects/*.json")
	if err != nil {
		return fmt.Errorf("list effects: %w", err)
	}
	out := func(file, message string) {
		if !k.Write {
			k.found("effect-out-of-step", lint.Error, file, 1, message, writeEffects)
		}
	}
	k.effects = make([]catalog.Effect, len(files))
	for i, f := range files {
		name := fmt.Sprintf("effects/%05d.json", f.Version)
		data, err := fs.ReadFile(k.folder, name)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			if len(names) > 0 || k.base != nil && hasEffects(k.base.forked) {
				out(f.Name, "it has no effect file")
			}
			continue
		case err != nil:
			return fmt.Errorf("read %s: %w", name, err)
		}
		var e catalog.Effect
		if err := json.Unmarshal(data, &e); err != nil || e.Version != f.Version || e.Name != f.Name {
			out(name, "it is not the effect of "+f.Name)
			continue
		}
		k.effects[i] = e
		measured := !k.Offline && (k.base == nil || f.Version >= k.base.from)
		if !measured && e.Checksum != f.Checksum {
			out(f.Name, "its effect file is of the file as it was before an edit")
		}
	}
	if len(names) == 0 && !k.Write && (k.base == nil || !hasEffects(k.base.forked)) {
		k.found("effect-out-of-step", lint.Warning, "effects", 1,
			"there are no effect files: verify needs a scratch database without them, plan shows no times, and a rollback cannot tell what it would lose", writeEffects)
	}
	return nil
}

func hasEffects(folder fs.FS) bool {
	names, err := fs.Glob(folder, "effects/*.json")
	return err == nil && len(names) > 0
}

// known reports whether the effects of the first n files are there.
func (k *checker) known(n int) bool {
	return !slices.ContainsFunc(k.effects[:n], func(e catalog.Effect) bool { return e.Version == 0 })
}

// runSqlc adds what sqlc has to say as a finding.
func (k *checker) runSqlc(ctx context.Context, env []string, rule, next string, args ...string) {
	output, ok, err := k.sqlc.run(ctx, env, args...)
	if err != nil {
		k.report.Findings = append(k.report.Findings, lint.Finding{Rule: rule, Severity: lint.Error, File: k.sqlc.config, Line: 1, Message: err.Error(), Safe: "install what " + k.sqlc.config + " is compiled with: " + strings.Join(k.sqlc.command, " ")})
	} else if !ok {
		k.report.Findings = append(k.report.Findings, lint.Finding{Rule: rule, Severity: lint.Error, File: k.sqlc.config, Line: 1, Message: cmp.Or(output, "sqlc "+args[0]+" ends with an error"), Safe: next})
	}
}

// onServer calls do with a database of the server of DATABASE_URL, or of a private one.
func (k *checker) onServer(ctx context.Context, do func(url string) error) (err error) {
	if k.DatabaseURL != "" {
		url, err := k.url()
		if err != nil {
			return err
		}
		return do(url)
	}
	server, err := devpg.Start(ctx, devpg.Config{Ephemeral: true})
	if err != nil {
		return usageError{fmt.Sprintf("DATABASE_URL não configurada para Postgres. DATABASE_URL is not set, and a private server does not start (%v): "+
			"name a server whose login may create databases, run make dev once, which installs PostgreSQL, or check --offline", err)}
	}
	defer func() { err = errors.Join(err, server.Stop()) }()
	return do(server.URL(devpg.User))
}

// measure makes the steps that need a server, on scratch databases.
func (k *checker) measure(ctx context.Context, url string, files []schema.File) error {
	// What lies in effects/ is to be found out, and may be broken.
	engine, err := schema.Open(schema.Config{URL: url, FS: withoutEffects{k.folder}, Actor: actor(k.app.env), Binary: version})
	if err != nil {
		return err
	}
	from := int64(1)
	if k.base != nil && !k.Write {
		if k.known(int(k.base.from) - 1) { // else what was merged has to be measured too
			from = k.base.from
		}
	}
	if from > int64(len(files)) { // the change brings none
		return k.prepare(ctx, engine, int64(len(files)))
	}
	k.app.logf("measuring %s on scratch databases of %s", count(len(files)-int(from)+1, "migration"), engine.Target())
	m, err := engine.Measure(ctx, from)
	var failed *schema.MeasureError
	switch {
	case ctx.Err() != nil:
		return err
	case errors.As(err, &failed):
		k.found("does-not-apply", lint.Error, failed.File, failed.Line, failed.Error(), "correct the file")
		k.skip("effects, prepared queries", "a migration does not apply")
		return nil
	case err != nil:
		return err
	}
	for _, u := range m.Unfilled {
		k.skip("rows of "+u.Table, u.Reason)
	}
	if err := k.judge(m); err != nil {
		return err
	}
	return k.prepare(ctx, engine, int64(len(files)))
}

// withoutEffects is a folder of migrations as if it had no effects.
type withoutEffects struct{ fs.FS }

// Open opens a file.
func (f withoutEffects) Open(name string) (fs.File, error) {
	if name == "effects" || strings.HasPrefix(name, "effects/") {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return f.FS.Open(name)
}

// judge compares measured effects with the files beside the migrations, or writes those, and looks for what must not be.
func (k *checker) judge(m schema.Measurement) error {
	kept := slices.DeleteFunc(slices.Clone(k.effects), func(e catalog.Effect) bool { return e.Version == 0 })
	if k.Write {
		if err := schema.WriteEffects(k.Dir, m.Effects); err != nil {
			return err
		}
		k.report.Written = true
	}
	for _, e := range m.Effects {
		if isKept := k.effects[e.Version-1].Version != 0; isKept && !k.Write {
			if err := schema.CompareEffects(kept, []catalog.Effect{e}, m.Major); err != nil {
				k.found("effect-out-of-step", lint.Error, e.Name, 1, err.Error(), writeEffects)
			}
		}
		k.effects[e.Version-1] = e
	}
	migrations, err := k.lintAgain()
	if err != nil {
		return err
	}
	for _, e := range m.Effects {
		if e.Version > baseline(k.folder) {
			k.judgeEffect(migrations[e.Version-1], e)
		}
	}
	return nil
}

// lintAgain looks at the statements once more now that what they did is known: what a DO block hides shows in an effect.
func (k *checker) lintAgain() ([]lint.Migration, error) {
	migrations, err := schema.Migrations(k.folder)
	if err != nil {
		return nil, err
	}
	for i := range migrations {
		migrations[i].Effect = nil
		if e := &k.effects[i]; e.Version != 0 {
			migrations[i].Effect = e
		}
	}
	others := k.report.Findings[k.linted:]
	k.report.Findings = []lint.Finding{}
	for _, f := range schema.LintMigrations(migrations, baseline(k.folder)) {
		f.File = path.Join(filepath.ToSlash(k.Dir), f.File)
		k.report.Findings = append(k.report.Findings, f)
	}
	k.linted = len(k.report.Findings)
	k.report.Findings = append(k.report.Findings, others...)
	return migrations, nil
}

// judgeEffect looks for what must not be in what a migration was measured to do.
func (k *checker) judgeEffect(migration lint.Migration, e catalog.Effect) {
	seen := slices.ContainsFunc(k.report.Findings, func(f lint.Finding) bool { // in the statements already
		return f.Rule == "down-not-inverse" && path.Base(f.File) == e.Name
	})
	for _, d := range e.Left {
		if !seen {
			k.foundByRule(migration, "down-not-inverse", lint.DownLine(migration.Body), fmt.Sprintf("up and then down leave %s %s %s", d.Kind, d.Object, d.Class))
		}
	}
	if len(e.Lost) > 0 {
		k.foundByRule(migration, "rows-changed", 1, "rows that were there before are changed or gone after up, or after up and down, in "+strings.Join(e.Lost, ", "))
	}
	for _, r := range e.Refused {
		if r.Half != "up again" || len(e.Left) == 0 {
			k.foundByRule(migration, "rows-refuse-it", 1, fmt.Sprintf("over rows its %s does not run: %s", r.Half, r.Reason))
		}
	}
	for i, m := range e.Up {
		if i >= len(migration.Up.Statements) {
			break
		}
		told := lint.Locks(migration.Up.Statements[i].SQL)
		for _, lock := range m.Locks {
			hidden := !slices.ContainsFunc(told, func(l catalog.Lock) bool { return catalog.Strength(l.Mode) >= catalog.Strength(lock.Mode) })
			if hidden && (lock.Rewrites || lock.Scans) && catalog.Strength(lock.Mode) >= catalog.Strength(catalog.Share) {
				k.foundByRule(migration, "hidden-lock", m.Line, fmt.Sprintf("inside a function or a DO block it takes %s: %s meanwhile", lock, lock.Blocks()))
			}
		}
	}
}

// foundByRule adds what a rule of lint's has found on the database, unless a comment of the file suppresses it.
func (k *checker) foundByRule(migration lint.Migration, rule string, line int, message string) {
	for _, f := range lint.Found(migration, rule, line, message) {
		f.File = path.Join(filepath.ToSlash(k.Dir), f.File)
		k.report.Findings = append(k.report.Findings, f)
	}
}

// prepare has the server prepare what programs send, on a scratch database of the latest version.
func (k *checker) prepare(ctx context.Context, engine *schema.Engine, latest int64) error {
	if k.sqlc == nil {
		return nil
	}
	if k.sqlc.urlVariable == "" {
		k.skip("whether queries prepare", k.sqlc.config+" names no variable as the uri of its database, ${SQLC_DATABASE_URL}")
	} else {
		err := engine.OnScratch(ctx, latest, func(url string) error {
			k.runSqlc(ctx, []string{k.sqlc.urlVariable + "=" + url}, "query-does-not-prepare", "correct the query in queries/, or the migration", "vet")
			return nil
		})
		if err != nil {
			return err
		}
	}
	if k.base == nil {
		return nil
	}
	release := schema.Release{Name: k.baseName(), Statements: map[string]string{}}
	for _, out := range k.sqlc.out {
		generated, err := k.base.fork.files(ctx, filepath.Join(k.sqlc.root, out))
		if err != nil {
			return err
		}
		if err := sqlcStatements(generated, release.Statements); err != nil {
			return fmt.Errorf("read the statements of the release before: %w", err)
		}
	}
	if len(release.Statements) == 0 {
		k.skip("the statements of the release at "+k.baseName(), "there are none of sqlc's in "+strings.Join(k.sqlc.out, ", "))
		return nil
	}
	migrations, err := schema.Migrations(k.folder)
	if err != nil {
		return err
	}
	broken, err := k.breaks(ctx, engine, latest, release)
	if err != nil || broken == "" {
		return err
	}
	for version := k.base.from; version <= latest; version++ { // which of them was it
		if broken, err = k.breaks(ctx, engine, version, release); err != nil {
			return err
		}
		if broken != "" {
			k.foundByRule(migrations[version-1], "breaks-previous-release", 1, "statements of the release at "+k.baseName()+" no longer prepare: "+broken)
			return nil
		}
	}
	return nil
}

// breaks tells which statements of a release do not prepare at a version; empty when all do.
func (k *checker) breaks(ctx context.Context, engine *schema.Engine, version int64, release schema.Release) (broken string, err error) {
	err = engine.OnScratch(ctx, version, func(url string) error {
		scratch, err := schema.Open(schema.Config{URL: url, FS: withoutEffects{k.folder}})
		if err != nil {
			return err
		}
		c, err := scratch.Compatible(ctx, release)
		broken = c.BrokenText()
		return err
	})
	return broken, err
}

// text is what was found, as a person reads it.
func (k *checker) text() string {
	var b strings.Builder
	if c := k.report.Change; c != nil && len(c.Files) == 0 {
		fmt.Fprintf(&b, "since %s, version %d: the schema stays as it is\n", k.baseName(), c.To)
	} else if c != nil {
		fmt.Fprintf(&b, "since %s, version %d to %d\n", k.baseName(), c.From, c.To)
		for _, f := range c.Files {
			fmt.Fprintf(&b, "\n%s\n", f.Name)
			for _, line := range f.Does {
				fmt.Fprintf(&b, "  %s\n", line)
			}
			for _, lock := range f.Locks {
				fmt.Fprintf(&b, "  -- %s: %s\n", lock, lock.Blocks())
			}
			if way := ways[f.Class]; way != "" {
				fmt.Fprintf(&b, "  -- the way back %s (%s)\n", way, f.Class)
			}
		}
		b.WriteString("\ncatalog\n")
		for _, d := range c.Catalog {
			fmt.Fprintf(&b, "  %s %s %s\n", changed[d.Class], d.Kind, d.Object)
			if d.Expected != "" {
				fmt.Fprintf(&b, "    - %s\n", d.Expected)
			}
			if d.Actual != "" {
				fmt.Fprintf(&b, "    + %s\n", d.Actual)
			}
		}
		b.WriteString("\n")
	}
	for _, s := range k.report.Skipped {
		fmt.Fprintf(&b, "not looked at: %s: %s\n", s.Step, s.Reason)
	}
	if k.report.Written {
		fmt.Fprintf(&b, "%s is in step\n", filepath.Join(k.Dir, "effects"))
	}
	b.WriteString(lintText(k.report.Findings))
	return b.String()
}
