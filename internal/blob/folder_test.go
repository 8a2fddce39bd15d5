package blob_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"portaldb/internal/blob"
)

func TestFolder(t *testing.T) {
	t.Parallel()
	conform(t, openFolder, func(t testing.TB, _ *blob.Set, path string) {
		writeFile(t, filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".part"), "half")
	})
}

func openFolder(t testing.TB) *blob.Set {
	t.Helper()
	return openAt(t, blob.Config{Root: t.TempDir(), ChunkSize: 64 << 10})
}

func openAt(t testing.TB, cfg blob.Config) *blob.Set {
	t.Helper()
	s, err := blob.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func writeFile(t testing.TB, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestFolder_Put_Synced: the bytes are on the disk before they have their name, and the name, with every folder on the way to it,
// before the file counts as put. To be killed does not tell: the kernel keeps what it has.
func TestFolder_Put_Synced(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	s := openAt(t, blob.Config{Root: root})
	path := s.Path("file", at)
	var synced []string
	blob.OnSync(s, func(file *os.File) {
		name, err := filepath.Rel(root, file.Name())
		if err != nil {
			t.Error(err)
		}
		_, err = os.Stat(path)
		synced = append(synced, fmt.Sprintf("%s, named %v", name, err == nil))
	})
	put(t, s, path, random(100_000))
	day, err := filepath.Rel(root, filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{filepath.Join(day, ".file.part") + ", named false"}
	for dir := day; ; dir = filepath.Dir(dir) {
		want = append(want, dir+", named true")
		if dir == "." {
			break
		}
	}
	if diff := cmp.Diff(want, synced); diff != "" {
		t.Error(diff)
	}
}

// TestFolder_links: what leads out of the store is neither read, listed, removed nor moved, whoever put it there.
func TestFolder_links(t *testing.T) {
	t.Parallel()
	root, elsewhere := t.TempDir(), t.TempDir()
	s := openAt(t, blob.Config{Root: root})
	secret := filepath.Join(elsewhere, "secret")
	writeFile(t, secret, "secret")
	for link, target := range map[string]string{"file": secret, "2026": elsewhere, "up": "..", "chain": "2026", "gone": filepath.Join(elsewhere, "none"), "self": "self"} {
		if err := os.Symlink(target, filepath.Join(root, link)); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mkfifo(filepath.Join(root, "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(root, "folder", "below"), 0o755); err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(root, "plain"), "plain")
	up := "/up/" + filepath.Base(elsewhere) + "/secret"
	for _, path := range []string{"/file", "/2026/secret", "/chain/secret", "/gone", "/self", "/self/secret", up, "/pipe", "/folder", "/plain/secret"} {
		if r, _, err := s.Open(t.Context(), root+path); !errors.Is(err, blob.ErrOutside) {
			t.Errorf("open %s: %v, %v", path, r, err)
		}
	}
	for _, path := range []string{"/2026/secret", "/chain/secret", "/self/secret", up, "/folder", "/folder/below", "/plain/secret"} {
		if err := s.Remove(t.Context(), root+path); !errors.Is(err, blob.ErrOutside) {
			t.Errorf("remove %s: %v", path, err)
		}
		if err := s.SetAside(t.Context(), root+path); !errors.Is(err, blob.ErrOutside) {
			t.Errorf("set aside %s: %v", path, err)
		}
	}
	for _, path := range []string{"/2026/new", "/chain/new", "/gone/new", "/self/new", "/up/new", "/plain/new"} {
		if err := s.Put(t.Context(), root+path, errReader{t}); !errors.Is(err, blob.ErrOutside) {
			t.Errorf("put %s: %v", path, err)
		}
	}
	list(t, s, root+"/plain")
	// A link itself may go; where it leads to stays.
	for _, path := range []string{"/file", "/2026"} {
		if err := s.Remove(t.Context(), root+path); err != nil {
			t.Errorf("remove the link %s: %v", path, err)
		}
	}
	if content, err := os.ReadFile(secret); err != nil || string(content) != "secret" {
		t.Errorf("outside of the store there is now %q: %v", content, err)
	}
	if entries, err := os.ReadDir(elsewhere); err != nil || len(entries) != 1 {
		t.Errorf("outside of the store there is more now: %v, %v", entries, err)
	}
}

// TestFolder_set_aside: what is set aside is kept under a name of its own, each time.
func TestFolder_set_aside(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	s := openAt(t, blob.Config{Root: root})
	path := s.Path("id", at)
	for _, content := range []string{"first", "second", "third"} {
		put(t, s, path, []byte(content))
		if err := s.SetAside(t.Context(), path); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]string{"id": "first", "id.1": "second", "id.2": "third"} {
		if got, err := os.ReadFile(filepath.Join(root, blob.SetAside, "2026/03/02", name)); err != nil || string(got) != want {
			t.Errorf("%s has %q, want %q: %v", name, got, want, err)
		}
	}
}

// errReader is content that must not be asked for.
type errReader struct{ t testing.TB }

func (r errReader) Read([]byte) (int, error) {
	r.t.Error("content was read that cannot be put")
	return 0, errors.New("read")
}

// TestFolder_not_mounted: that the root is gone does not read as if the files were, and Put does not make it anew.
func TestFolder_not_mounted(t *testing.T) {
	t.Parallel()
	root := filepath.Join(t.TempDir(), "uploads")
	s := openAt(t, blob.Config{Root: root})
	path := s.Path("id", at)
	_, _, open := s.Open(t.Context(), path)
	var all error
	for _, err := range s.All(t.Context()) {
		all = err
	}
	for what, err := range map[string]error{
		"open": open, "put": s.Put(t.Context(), path, errReader{t}), "remove": s.Remove(t.Context(), path), "set aside": s.SetAside(t.Context(), path),
		"list": all,
	} {
		if err == nil || errors.Is(err, fs.ErrNotExist) || errors.Is(err, blob.ErrOutside) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if err := s.Check(t.Context()); err == nil {
		t.Error("a check finds nothing wrong")
	}
	if _, err := os.Stat(root); err == nil {
		t.Error("the root was made")
	}
}

// TestFolder_other_store: where another folder lies, or an empty one, than is expected there, nothing is taken, removed or
// moved, and what is not there is not taken for missing; what is there can be read.
func TestFolder_other_store(t *testing.T) {
	t.Parallel()
	for name, marker := range map[string]string{"none": "", "another": "other", "a longer one": "this-one", "an empty one": "\n", "no marker": strings.Repeat("x", 101), "no word": "this one"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			s := openAt(t, blob.Config{Root: dir})
			root, path, none := s.Roots()[0], s.Path("id", at), s.Path("none", at)
			if err := root.Mark(t.Context(), "this"); err != nil {
				t.Fatal(err)
			}
			root.Expect("this")
			put(t, s, path, []byte("x"))
			wantNone(t, s, none)
			if err := os.Remove(filepath.Join(dir, blob.Marker)); err != nil {
				t.Fatal(err)
			}
			if marker != "" {
				writeFile(t, filepath.Join(dir, blob.Marker), marker)
			}
			var all error
			for _, err := range s.All(t.Context()) {
				all = err
			}
			_, _, open := s.Open(t.Context(), none)
			for what, err := range map[string]error{
				"open": open, "put": s.Put(t.Context(), none, errReader{t}), "remove": s.Remove(t.Context(), path), "remove what is not there": s.Remove(t.Context(), none),
				"set aside": s.SetAside(t.Context(), path), "list": all,
			} {
				if err == nil || errors.Is(err, fs.ErrNotExist) || errors.Is(err, blob.ErrOutside) || len(marker) < 100 && marker != "this one" && !errors.Is(err, blob.ErrOtherStore) {
					t.Errorf("%s: %v", what, err)
				}
			}
			want(t, s, path, []byte("x"))
		})
	}
}
