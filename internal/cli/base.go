package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
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
		if errors.Is(err, exec.ErrNotFound) {
			return revision{}, usageError{"--base needs git, which is not installed"}
		}
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
	// As they are stored: an archive would convert line ends, and leave out what attributes say.
	list, err := git(ctx, r.root, "ls-tree", "-r", "-z", tree)
	if err != nil {
		return nil, err
	}
	var names []string
	var blobs bytes.Buffer
	for entry := range strings.SplitSeq(strings.TrimRight(string(list), "\x00"), "\x00") {
		about, name, _ := strings.Cut(entry, "\t") // mode, type and blob
		if fields := strings.Fields(about); len(fields) == 3 && fields[1] == "blob" {
			names = append(names, name)
			blobs.WriteString(fields[2] + "\n")
		}
	}
	out, err := gitInput(ctx, r.root, &blobs, "cat-file", "--batch")
	if err != nil {
		return nil, err
	}
	found := fstest.MapFS{}
	for _, name := range names {
		head, rest, _ := bytes.Cut(out, []byte("\n")) // blob, type and size
		var size int
		if _, err := fmt.Sscanf(string(head), "%s blob %d", new(string), &size); err != nil || size >= len(rest) {
			return nil, fmt.Errorf("read %s of %s: git says %q", name, tree, head)
		}
		found[name] = &fstest.MapFile{Data: rest[:size:size]}
		out = rest[size+1:]
	}
	return found, nil
}

// git runs git in a folder and returns what it prints.
func git(ctx context.Context, dir string, args ...string) ([]byte, error) {
	return gitInput(ctx, dir, nil, args...)
}

func gitInput(ctx context.Context, dir string, stdin io.Reader, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "git", append([]string{"-C", dir}, args...)...)
	cmd.Stdin = stdin
	// Hooks are told of a repository, which need not be that of the folder.
	cmd.Env = slices.DeleteFunc(os.Environ(), func(pair string) bool {
		return strings.HasPrefix(pair, "GIT_DIR=") || strings.HasPrefix(pair, "GIT_WORK_TREE=") || strings.HasPrefix(pair, "GIT_INDEX_FILE=")
	})
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
	tip, err := openRevision(ctx, k.Dir, k.baseName())
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
	if len(merged) == 0 {
		k.skip("what became of merged files", fmt.Sprintf("%s has no migrations in this folder; where it was renamed, its files are not compared", k.baseName()))
	}
	unchanged := true
	for _, name := range merged {
		was, err := fs.ReadFile(k.base.forked, name)
		if err != nil {
			return fmt.Errorf("read the base's migrations: %w", err)
		}
		restore := "git restore --source=" + k.base.fork.commit[:12] + " -- " + shellQuoted(path.Join(filepath.ToSlash(k.Dir), name))
		switch now, err := fs.ReadFile(k.folder, name); {
		case errors.Is(err, fs.ErrNotExist):
			k.found("merged-file-gone", lint.Error, name, 1, "it was merged, and databases have it: it must stay; undo it with a new migration", restore)
			unchanged = false
		case err != nil:
			return fmt.Errorf("read %s: %w", name, err)
		case !slices.Equal(was, now):
			message := "it was merged, and databases have it as it was: up, rollback and history refuse another text; write the change as a new migration"
			if bytes.Equal(bytes.ReplaceAll(was, []byte("\r"), nil), bytes.ReplaceAll(now, []byte("\r"), nil)) {
				message = "its line ends were changed, by an editor or by git (core.autocrlf, eol=crlf), and with them its checksum"
				restore = "echo '" + filepath.ToSlash(k.Dir) + "/** -text' >> .gitattributes && " + restore
			}
			k.found("merged-file-edited", lint.Error, name, firstDifference(string(was), string(now)), message, restore)
			unchanged = false
		}
		// What was measured stands, unless somebody touched that, or the rows that it was measured with.
		version := lint.Version(name)
		for _, beside := range []string{fmt.Sprintf("effects/%05d.json", version), fmt.Sprintf("testdata/rows/%05d.sql", version)} {
			unchanged = unchanged && sameFile(k.base.forked, k.folder, beside)
		}
		if unchanged {
			k.base.from = max(k.base.from, version+1)
		}
	}
	return k.renumber(merged)
}

// sameFile reports whether two folders have the same file of a name, or neither has it.
func sameFile(a, b fs.FS, name string) bool {
	was, errA := fs.ReadFile(a, name)
	now, errB := fs.ReadFile(b, name)
	return (errA == nil) == (errB == nil) && bytes.Equal(was, now)
}

// shellQuoted quotes a word where a shell needs it.
func shellQuoted(word string) string {
	if strings.Trim(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./") == "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
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
			k.found("number-taken", lint.Error, name, 1, fmt.Sprintf("%s has number %05d as %s: two branches took it; this one becomes %s", k.baseName(), number, by, renamed),
				fmt.Sprintf("git mv %s %s", shellQuoted(path.Join(dir, name)), shellQuoted(path.Join(dir, renamed))))
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
