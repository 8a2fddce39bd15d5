package devpg

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// fakeInstallation makes a folder with binaries that only tell their version.
func fakeInstallation(t *testing.T, version string, binaries ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range binaries {
		script := fmt.Sprintf("#!/bin/sh\necho '%s (PostgreSQL) %s'\n", name, version)
		if err := os.WriteFile(filepath.Join(dir, name), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestFindInstallations(t *testing.T) {
	t.Parallel()
	fake := func(version string) string { return fakeInstallation(t, version, "postgres", "initdb") }
	old, v14, v16, v17, beta := fake("9.6.24"), fake("14.2"), fake("16.3 (Debian 16.3-1.pgdg120+1)"), fake("17.0"), fake("18beta1")
	clientOnly := fakeInstallation(t, "17.0", "psql")
	serverOnly := fakeInstallation(t, "17.0", "postgres")
	missing := filepath.Join(t.TempDir(), "none")

	for name, c := range map[string]struct{ dirs, want []string }{
		"newest first":            {[]string{"", v14, v17, v16}, []string{v17, v16, v14}},
		"that of PATH before all": {[]string{v14, v17, v16, v14}, []string{v14, v17, v16}},
		"PATH has an old one":     {[]string{old, v14, v17}, []string{v17, v14}},
		"not whole":               {[]string{clientOnly, serverOnly, missing, v16}, []string{v16}},
		"pre-release":             {[]string{"", v17, beta}, []string{beta, v17}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			found, err := findInstallations(t.Context(), c.dirs)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, inst := range found {
				got = append(got, inst.dir)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("found %v, want %v", got, c.want)
			}
		})
	}
	for name, c := range map[string]struct {
		dirs []string
		what string
	}{
		"none":    {[]string{"", clientOnly, missing}, "PostgreSQL is not installed"},
		"too old": {[]string{old, missing}, "PostgreSQL 9 is too old"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := findInstallations(t.Context(), c.dirs)
			wantError(t, err, c.what, "14 or later", "make dev", installCommand())
		})
	}
}
