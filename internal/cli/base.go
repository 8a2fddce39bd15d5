package cli

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing/fstest"

	"portaldb/internal/lint"
)

// revision is a commit of a git repository.
type revision struct {
	root   string // of the work tree
	commit string
}

// openRevision finds the commit that rev names in the repository of dir.
func openRevision(ctx context.Context, dir, rev string) (revision, error) {
	root, err := git(ctx, dir, "rev-parse", "--show-toplevel")
	if err != nil {
		return revision{}, usageError{fmt.Sprintf("--base needs a git repository, and %s is in none: %v", dir, err)}
	}
	commit, err := git(ctx, dir, "rev-parse", "--verify", "--quiet", "--end-of-options", rev+"^{commit}")
	if err != nil {
		return revision{}, usageError{fmt.Sprintf("--base takes a commit, branch or tag; %s is none here: fetch it first (in CI: fetch-depth: 0)", rev)}
	}
	return revision{root: strings.TrimSpace(string(root)), commit: strings.TrimSpace(string(commit))}, nil
}

// fork is the commit where the work tree's branch left r.
func (r revision) fork(ctx context.Context) (revision, error) {
	out, err := git(ctx, r.root, "merge-base", "HEAD", r.commit)
	if err != nil {
		return revision{}, usageError{"--base has no commit in common with HEAD here: fetch more of the history (in CI: fetch-depth: 0)"}
	}
	r.commit = strings.TrimSpace(string(out))
	return r, nil
}

// files are the files below dir as the commit has them, named from there; none where it does not have the folder.
func (r revision) files(ctx context.Context, dir string) (fs.FS, error) {
	prefix, err := git(ctx, dir, "rev-parse", "--show-prefix")
	if err != nil {
		return nil, err
	}
	tree := r.commit + ":" + strings.TrimSuffix(strings.TrimSpace(string(prefix)), "/")
	if _, err := git(ctx, r.root, "cat-file", "-e", tree); err != nil {
		return fstest.MapFS{}, nil //nolint:nilerr // git says it by failing
	}
	archive, err := git(ctx, r.root, "archive", "--format=tar", tree)
	if err != nil {
		return nil, err
	}
	found := fstest.MapFS{}
	for reader := tar.NewReader(bytes.NewReader(archive)); ; {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return found, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", tree, err)
		}
		if header.Typeflag != tar.TypeReg {
			continue
		}
		data, err := io.ReadAll(reader)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", tree, err)
		}
		found[header.Name] = &fstest.MapFile{Data: data}
	}
}

// git runs git in a folder and returns what it prints.
func git(ctx context.Context, dir string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "git", append([]string{"-C", dir}, args...)...)
	out, err := cmd.Output()
	var failed *exec.ExitError
	if errors.As(err, &failed) {
		return nil, fmt.Errorf("git %s: %s", args[0], strings.TrimSpace(string(failed.Stderr)))
	}
	return out, err
}

// checkBase is what a change is compared with.
type checkBase struct {
	fork revision // where the branch left the base
	// forked are the folder's files there, tip those of the base as it is now.
	forked, tip fs.FS
	// from is the first version that the change brings.
	from int64
}

// compareBase looks at what became of the files that the base has.
func (k *checker) compareBase(ctx context.Context) error {
	tip, err := openRevision(ctx, k.Dir, k.Base)
	if err != nil {
		return err
	}
	k.base = &checkBase{from: 1}
	if k.base.fork, err = tip.fork(ctx); err != nil {
		return err
	}
	if k.base.tip, err = tip.files(ctx, k.Dir); err != nil {
		return err
	}
	if k.base.forked, err = k.base.fork.files(ctx, k.Dir); err != nil {
		return err
	}
	merged, err := fs.Glob(k.base.forked, "*.sql")
	if err != nil {
		return fmt.Errorf("list the base's migrations: %w", err)
	}
	unchanged := true
	for _, name := range merged {
		was, err := fs.ReadFile(k.base.forked, name)
		if err != nil {
			return fmt.Errorf("read the base's migrations: %w", err)
		}
		restore := "git restore --source=" + k.base.fork.commit[:12] + " -- " + path.Join(filepath.ToSlash(k.Dir), name)
		switch now, err := fs.ReadFile(k.folder, name); {
		case errors.Is(err, fs.ErrNotExist):
			k.found("merged-file-gone", lint.Error, name, 1, "it was merged, and databases have it: it must stay; undo it with a new migration", restore)
			unchanged = false
		case err != nil:
			return fmt.Errorf("read %s: %w", name, err)
		case !slices.Equal(was, now):
			k.found("merged-file-edited", lint.Error, name, firstDifference(string(was), string(now)),
				"it was merged, and databases have it as it was: up, rollback and history refuse another text; write the change as a new migration", restore)
			unchanged = false
		}
		if unchanged {
			k.base.from = max(k.base.from, lint.Version(name)+1)
		}
	}
	return k.renumber(merged)
}

// renumber finds the files of the change whose number the base has given away since.
func (k *checker) renumber(merged []string) error {
	ours, err := fs.Glob(k.folder, "*.sql")
	if err != nil {
		return fmt.Errorf("list migrations: %w", err)
	}
	theirs, err := fs.Glob(k.base.tip, "*.sql")
	if err != nil {
		return fmt.Errorf("list the base's migrations: %w", err)
	}
	var next int64
	taken := map[int64]string{}
	for _, name := range theirs {
		next = max(next, lint.Version(name))
		taken[lint.Version(name)] = name
	}
	for _, name := range ours {
		if slices.Contains(merged, name) || slices.Contains(theirs, name) {
			continue
		}
		next++ // the files of the change come after those of the base, in their order
		number := lint.Version(name)
		if by := taken[number]; by != "" && number != next {
			_, rest, _ := strings.Cut(name, "_")
			renamed := fmt.Sprintf("%05d_%s", next, rest)
			dir := filepath.ToSlash(k.Dir)
			k.found("number-taken", lint.Error, name, 1, fmt.Sprintf("%s has number %05d as %s: two branches took it; this one becomes %s", k.Base, number, by, renamed),
				fmt.Sprintf("git mv %s %s", path.Join(dir, name), path.Join(dir, renamed)))
		}
	}
	return nil
}

// firstDifference is the first line in which two texts differ, counted from 1.
func firstDifference(a, b string) int {
	line := 1
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			break
		}
		if a[i] == '\n' {
			line++
		}
	}
	return line
}
