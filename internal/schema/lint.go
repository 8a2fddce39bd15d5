package schema

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"portaldb/internal/catalog"
	"portaldb/internal/lint"
)

// Lint returns what lint finds in a folder of migrations, by file and line. Unlike [Files] it refuses nothing: a wrong name,
// a gap, a duplicate, or a file that goose cannot read is a finding. Files up to baseline run on an empty database; it is 0
// for a folder without a baseline of its own. An error means that the folder itself cannot be read.
func Lint(fsys fs.FS, baseline int64) ([]lint.Finding, error) {
	all, err := Migrations(fsys)
	if err != nil {
		return nil, err
	}
	return LintMigrations(all, baseline), nil
}

// LintMigrations is Lint of a folder that has been read.
func LintMigrations(all []lint.Migration, baseline int64) []lint.Finding {
	names := make([]string, len(all))
	for i := range all {
		names[i] = all[i].Name
	}
	slices.Sort(names)
	findings := append(lint.Names(names), lint.Run(all, lint.Options{Baseline: baseline})...)
	slices.SortStableFunc(findings, func(a, b lint.Finding) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line))
	})
	return findings
}

// Migrations reads a folder as lint sees it, whatever is in it, in the order of the files' numbers, with the effects that lie
// beside them.
func Migrations(fsys fs.FS) ([]lint.Migration, error) {
	names, err := fs.Glob(fsys, "*.sql")
	if err != nil {
		return nil, fmt.Errorf("list migrations: %w", err)
	}
	all := make([]lint.Migration, len(names))
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, name := range names {
		group.Go(func() error {
			all[i] = lintFile(fsys, name)
			return nil
		})
	}
	_ = group.Wait() // what goes wrong is in the migrations
	slices.SortStableFunc(all, func(a, b lint.Migration) int { return cmp.Compare(a.Version, b.Version) })

	if effects, err := Effects(fsys); err == nil { // check says when they are out of step
		byName := map[string]*catalog.Effect{}
		for i := range effects {
			byName[effects[i].Name] = &effects[i]
		}
		for i := range all {
			all[i].Effect = byName[all[i].Name]
		}
	}
	return all, nil
}

// lintFile reads one file for lint, which tells what is wrong with it.
func lintFile(fsys fs.FS, name string) lint.Migration {
	f := File{Version: lint.Version(name), Name: name}
	body, err := readMigration(fsys, name)
	f.Body = string(body)
	if err == nil && len(body) > lint.MaxSize {
		err = lint.ErrTooLarge
	}
	if err != nil {
		return lint.Migration{Version: f.Version, Name: f.Name, Body: f.Body, Err: err}
	}
	return f.migration()
}

// readMigration reads a file, no further than a little past the size that lint looks at.
func readMigration(fsys fs.FS, name string) ([]byte, error) {
	info, err := fs.Stat(fsys, name) // opening a pipe would wait for its writer
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("it is not a regular file; a migration is one, with text in it")
	}
	file, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }() // which was only read
	return io.ReadAll(io.LimitReader(file, lint.MaxSize+1))
}

// migration is the file as lint sees it, with the statements that goose would send.
func (f File) migration() lint.Migration {
	m := lint.Migration{Version: f.Version, Name: f.Name, Body: f.Body}
	if lint.EnvsubLine(f.Body) > 0 {
		m.Err = lint.ErrEnvsub
		return m
	}
	if m.Err = encoding(f.Body); m.Err != nil {
		return m
	}
	var up, down error
	m.Up, up = f.half(true)
	m.Down, down = f.half(false)
	m.Err = cmp.Or(up, down)
	return m
}

// encoding says what an editor has made of a file that goose would not know for one of its own.
func encoding(body string) error {
	switch {
	case strings.HasPrefix(body, "\xef\xbb\xbf"):
		return errors.New("it begins with a byte order mark; save it as UTF-8 without one")
	case strings.HasPrefix(body, "\xff\xfe"), strings.HasPrefix(body, "\xfe\xff"):
		return errors.New("it is UTF-16; save it as UTF-8")
	case strings.Contains(body, "\r") && !strings.Contains(body, "\n"):
		return errors.New("its lines end with CR alone; save it with LF")
	}
	return nil
}

// lintName is what goose is told that every file is called: the names of files have rules of their own.
const lintName = "00001_lint.sql"

func (f File) half(up bool) (lint.Half, error) {
	statements, tx, err := Statements(File{Version: 1, Name: lintName, Body: f.Body}, up)
	if err != nil {
		_, why, _ := strings.Cut(err.Error(), lintName+": ")
		if why = cmp.Or(why, err.Error()); len(why) > 300 { // goose repeats what it cannot read
			why = strings.ToValidUTF8(why[:300], "") + " ..."
		}
		return lint.Half{}, errors.New("goose cannot read it: " + why)
	}
	half := lint.Half{Tx: tx}
	for line, sql := range f.lines(statements, up) {
		half.Statements = append(half.Statements, lint.Statement{SQL: sql, Line: line})
	}
	return half, nil
}
