package schema

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"

	"portaldb/internal/catalog"
	"portaldb/internal/lint"
)

// maxLintSize is how large a file lint reads: a tree takes many times the memory of its text.
const maxLintSize = 16 << 20

// Lint returns what lint finds in a folder of migrations, by file and line. Unlike [Files] it refuses nothing: a wrong name,
// a gap, a duplicate, or a file that goose cannot read is a finding. Files up to baseline run on an empty database; it is 0
// for a folder without a baseline of its own. An error means that the folder itself cannot be read.
func Lint(fsys fs.FS, baseline int64) ([]lint.Finding, error) {
	names, err := fs.Glob(fsys, "*.sql")
	if err != nil {
		return nil, fmt.Errorf("list migrations: %w", err)
	}
	all := make([]lint.Migration, len(names))
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, name := range names {
		group.Go(func() error {
			body, err := readMigration(fsys, name)
			all[i] = File{Version: lint.Version(name), Name: name, Body: body}.migration()
			all[i].Err = cmp.Or(err, all[i].Err)
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
	findings := append(lint.Names(names), lint.Run(all, lint.Options{Baseline: baseline})...)
	slices.SortStableFunc(findings, func(a, b lint.Finding) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line))
	})
	return findings, nil
}

func readMigration(fsys fs.FS, name string) (string, error) {
	info, err := fs.Stat(fsys, name)
	switch {
	case err != nil:
		return "", err
	case !info.Mode().IsRegular():
		return "", errors.New("it is not a regular file; a migration is one, with text in it")
	case info.Size() > maxLintSize:
		return "", fmt.Errorf("it has %d MiB, and more than %d are not read; load data from another place than a migration", info.Size()>>20, maxLintSize>>20)
	}
	body, err := fs.ReadFile(fsys, name)
	return string(body), err
}

// migration is the file as lint sees it, with the statements that goose would send.
func (f File) migration() lint.Migration {
	m := lint.Migration{Version: f.Version, Name: f.Name, Body: f.Body}
	var up, down error
	m.Up, up = f.half(true)
	m.Down, down = f.half(false)
	m.Err = cmp.Or(up, down)
	return m
}

func (f File) half(up bool) (lint.Half, error) {
	// A number that goose reads whatever the file is called: its name has a rule of its own.
	statements, tx, err := Statements(File{Version: 1, Name: "00001_lint.sql", Body: f.Body}, up)
	half := lint.Half{Tx: tx}
	for line, sql := range f.lines(statements, up) {
		half.Statements = append(half.Statements, lint.Statement{SQL: sql, Line: line})
	}
	return half, err
}
