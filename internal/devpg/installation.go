package devpg

import (
	"cmp"
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// minMajor is the oldest version of PostgreSQL that devpg starts.
const minMajor = 14

// installation is a folder with the binaries of one version of PostgreSQL.
type installation struct {
	dir   string
	major int
}

func (i installation) path(binary string) string { return filepath.Join(i.dir, binary) }

// folders are where the packages of the usual systems put the server's binaries, which most of
// them keep out of PATH.
var folders = []string{
	"/usr/lib/postgresql/*/bin",                          // Debian, Ubuntu
	"/usr/pgsql-*/bin",                                   // PGDG on Fedora, RHEL and their kin
	"/usr/lib/postgresql*/bin",                           // openSUSE
	"/usr/libexec/postgresql*",                           // Alpine
	"/opt/homebrew/opt/postgresql*/bin",                  // Homebrew on Apple silicon
	"/usr/local/opt/postgresql*/bin",                     // Homebrew on Intel
	"/home/linuxbrew/.linuxbrew/opt/postgresql*/bin",     // Homebrew on Linux
	"/Applications/Postgres.app/Contents/Versions/*/bin", // Postgres.app
	"/Library/PostgreSQL/*/bin",                          // installer for macOS
}

// candidates returns the folders that may hold an installation: the one of PATH first, or "".
func candidates() []string {
	dirs := []string{""}
	if postgres, err := exec.LookPath("postgres"); err == nil {
		if postgres, err = filepath.EvalSymlinks(postgres); err == nil {
			dirs[0] = filepath.Dir(postgres)
		}
	}
	for _, pattern := range folders {
		found, _ := filepath.Glob(pattern) // fails for a bad pattern only
		dirs = append(dirs, found...)
	}
	return dirs
}

// findInstallations returns the usable installations in dirs, at least one: that of the first folder
// first, the others from the newest to the oldest.
func findInstallations(ctx context.Context, dirs []string) ([]installation, error) {
	var preferred, others, old []installation
	seen := map[string]bool{"": true}
	for i, dir := range dirs {
		if seen[dir] {
			continue
		}
		seen[dir] = true
		major, ok := probe(ctx, dir)
		switch {
		case !ok:
		case major < minMajor:
			old = append(old, installation{dir, major})
		case i == 0:
			preferred = append(preferred, installation{dir, major})
		default:
			others = append(others, installation{dir, major})
		}
	}
	slices.SortStableFunc(others, func(a, b installation) int { return cmp.Compare(b.major, a.major) })

	if found := slices.Concat(preferred, others); len(found) > 0 {
		return found, nil
	}
	what := "PostgreSQL is not installed"
	if len(old) > 0 {
		what = fmt.Sprintf("PostgreSQL %s is too old", majors(old))
	}
	return nil, fmt.Errorf("%s, %d or later is needed: `make dev` installs it, or run `%s`", what, minMajor, installCommand())
}

var versionPattern = regexp.MustCompile(`\(PostgreSQL\) (\d+)`)

// probe returns the major version of the server in dir; ok is false if dir has no server and initdb
// that run.
func probe(ctx context.Context, dir string) (major int, ok bool) {
	if _, err := exec.LookPath(filepath.Join(dir, "initdb")); err != nil {
		return 0, false
	}
	out, err := exec.CommandContext(ctx, filepath.Join(dir, "postgres"), "--version").Output()
	if err != nil {
		return 0, false
	}
	match := versionPattern.FindSubmatch(out)
	if match == nil {
		return 0, false
	}
	major, err = strconv.Atoi(string(match[1]))
	return major, err == nil
}

// majors lists the versions of installations, for messages.
func majors(list []installation) string {
	names := make([]string, len(list))
	for i, inst := range list {
		names[i] = strconv.Itoa(inst.major)
	}
	return strings.Join(names, ", ")
}

// installCommand returns what installs PostgreSQL on this system.
func installCommand() string {
	for _, manager := range []struct{ name, command string }{
		{"apt-get", "sudo apt-get install postgresql"},
		{"dnf", "sudo dnf install postgresql-server postgresql-contrib"},
		{"apk", "sudo apk add postgresql postgresql-contrib"},
		{"pacman", "sudo pacman -S postgresql"},
		{"zypper", "sudo zypper install postgresql-server postgresql-contrib"},
		{"brew", "brew install postgresql@17"},
	} {
		if _, err := exec.LookPath(manager.name); err == nil {
			return manager.command
		}
	}
	return "tools/install.sh postgresql"
}
