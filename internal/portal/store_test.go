package portal_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sync/errgroup"

	"portaldb/internal/blob"
	"portaldb/internal/portal"
)

func (b *filesBundle) marker(t testing.TB) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(b.root, blob.Marker))
	must(t, err)
	return strings.TrimSpace(string(content))
}

// TestFiles_Attach_At_once: replicas that see a folder for the first time together agree on its marker.
func TestFiles_Attach_At_once(t *testing.T) {
	t.Parallel()
	b := setupFiles(t)
	b.legacy(t, "legacy-AAAAAAA", "antigo")
	var group errgroup.Group
	for range 8 {
		group.Go(func() error { return b.replica().Attach(t.Context()) })
	}
	must(t, group.Wait())
	if marker := value[string](t, b.bundle, "SELECT string_agg(marker, ' ') FROM service.file_stores WHERE root = $1", b.root+"/"); marker == "" || marker != b.marker(t) {
		t.Errorf("the database has %q, the folder %q", marker, b.marker(t))
	}
}

// TestFiles_Attach_Other: where the folder is not the one that the files are in, nothing is stored, removed or taken for missing, and
// all goes on once it is there again.
func TestFiles_Attach_Other(t *testing.T) {
	t.Parallel()
	for name, other := range map[string]func(t *testing.T, root string){
		"not mounted": func(*testing.T, string) {},
		"another replica's": func(t *testing.T, root string) {
			must(t, os.WriteFile(filepath.Join(root, blob.Marker), []byte("another"), 0o600))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setupFiles(t)
			file, deleted := b.upload(t, "texto", portal.NewFile{}), b.upload(t, "apagado", portal.NewFile{})
			running := b.replica()
			must(t, running.Attach(t.Context()))
			must(t, b.files.Delete(t.Context(), "bff", deleted.ID))
			b.exec(t, "INSERT INTO service.file_uploads (file_id, path, alive_at) VALUES ('dead', $1, now() - interval '1 hour')", b.root+"/2026/01/02/dead")
			away := b.root + ".away"
			must(t, os.Rename(b.root, away))
			must(t, os.Mkdir(b.root, 0o755))
			other(t, b.root)
			for what, files := range map[string]*portal.Files{"that has run before": running, "that has just started": b.replica()} {
				_, err := files.Upload(t.Context(), "x", strings.NewReader("x"))
				wantCode(t, err, portal.CodeUnavailable)
				_, err = files.Sweep(t.Context())
				wantCode(t, err, portal.CodeUnavailable)
				report, err := files.Fsck(t.Context(), true, nil)
				wantCode(t, err, portal.CodeUnavailable)
				if len(report.Missing) != 0 {
					t.Errorf("%s: %+v", what, report)
				}
			}
			_, err := running.Open(t.Context(), file.ID, portal.Access{})
			wantCode(t, err, portal.CodeUnavailable)
			if left := b.stored(t); len(left) != 0 {
				t.Errorf("stored elsewhere: %q", left)
			}
			must(t, os.RemoveAll(b.root))
			must(t, os.Rename(away, b.root))
			if report := b.sweep(t); report.Removed != 1 || report.Uploads != 1 || report.Failed != 0 {
				t.Errorf("%+v", report)
			}
			if got := b.download(t, b.open(t, file.ID, portal.Access{})); got != "texto" {
				t.Errorf("got %q", got)
			}
			if report := b.fsck(t, true); len(report.Missing) != 0 || report.Files != 1 {
				t.Errorf("%+v", report)
			}
		})
	}
}

// TestFiles_Attach_Old_root: where files lay before nothing has to be writable, and that it is gone keeps no new ones from being
// stored; but then nothing is taken for gone.
func TestFiles_Attach_Old_root(t *testing.T) {
	t.Parallel()
	b := setupFiles(t)
	old := t.TempDir()
	set, err := blob.Open(blob.Config{Root: b.root, OldRoot: old})
	must(t, err)
	withOld := func() *portal.Files {
		return b.replica(func(cfg *portal.FilesConfig) { cfg.Store = unmarkable{set, old + "/"} })
	}
	must(t, withOld().Attach(t.Context()))
	if n := value[int](t, b.bundle, "SELECT count(*) FROM service.file_stores"); n != 1 {
		t.Errorf("%d roots are known, want the one that can be written to", n)
	}
	must(t, os.Remove(old))
	files := withOld()
	u, err := files.Upload(t.Context(), "x", strings.NewReader("x"))
	must(t, err)
	u.Discard()
	b.exec(t, "INSERT INTO fileshare_items (id, filename, size, path, expires_at) VALUES ('old', 'x', 1, $1, now())", old+"/2026/01/02/old")
	report, err := files.Sweep(t.Context())
	wantCode(t, err, portal.CodeUnavailable)
	if report.Expired != 1 || report.Removed != 0 {
		t.Errorf("%+v", report)
	}
}

// unmarkable is a store one root of which is read-only.
type unmarkable struct {
	blob.Store
	readOnly string
}

func (s unmarkable) Roots() []blob.Root {
	roots := s.Store.Roots()
	for i, root := range roots {
		if root.String() == s.readOnly {
			roots[i] = readOnly{root}
		}
	}
	return roots
}

type readOnly struct{ blob.Root }

func (readOnly) Mark(context.Context, string) error { return syscall.EROFS }

// TestFiles_Attach_First: a folder that is seen for the first time is believed if files that should be there are, or if somebody
// has marked it.
func TestFiles_Attach_First(t *testing.T) {
	t.Parallel()
	b := setupFiles(t)
	path := b.legacy(t, "legacy-AAAAAAA", "antigo")
	must(t, os.Rename(path, path+".away"))
	wantCode(t, b.files.Attach(t.Context()), portal.CodeUnavailable)
	if _, err := os.Stat(filepath.Join(b.root, blob.Marker)); err == nil {
		t.Error("the wrong folder was marked")
	}
	must(t, os.Rename(path+".away", path))
	must(t, b.files.Attach(t.Context()))

	lost := setupFiles(t)
	must(t, os.Remove(lost.legacy(t, "legacy-BBBBBBB", "antigo")))
	wantCode(t, lost.files.Attach(t.Context()), portal.CodeUnavailable)
	must(t, os.WriteFile(filepath.Join(lost.root, blob.Marker), []byte("mine\n"), 0o600))
	must(t, lost.files.Attach(t.Context()))

	// The folder moves, with all that is in it.
	moved := t.TempDir()
	must(t, os.Remove(moved))
	must(t, os.Rename(b.root, moved))
	set, err := blob.Open(blob.Config{Root: moved})
	must(t, err)
	must(t, b.replica(func(cfg *portal.FilesConfig) { cfg.Store = set }).Attach(t.Context()))
	if n := value[int](t, b.bundle, "SELECT count(*) FROM service.file_stores"); n != 2 {
		t.Errorf("%d roots are known", n)
	}
}
