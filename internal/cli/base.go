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
	"strings"
	"testing/fstest"
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
