package blob_test

import (
	"bytes"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"portaldb/internal/blob"
)

// FuzzPath: whatever stands in a row, only files of the store are read, and nothing outside of it changes.
func FuzzPath(f *testing.F) {
	top := f.TempDir()
	root := filepath.Join(top, "root")
	secret := []byte("the secret beside the store")
	writeFile(f, filepath.Join(top, "secret"), string(secret))
	writeFile(f, filepath.Join(root, blob.SetAside, "secret"), string(secret))
	writeFile(f, filepath.Join(root, ".secret"), string(secret))
	writeFile(f, filepath.Join(root, "2026/03/02/id"), "a file")
	for link, target := range map[string]string{"up": "..", "out": top, "in": "2026", "file": filepath.Join(top, "secret")} {
		if err := os.Symlink(target, filepath.Join(root, link)); err != nil {
			f.Fatal(err)
		}
	}
	s := openAt(f, blob.Config{Root: root})
	for _, p := range strange(s) {
		f.Add(strings.TrimPrefix(p, root))
	}
	for _, p := range []string{"/2026/03/02/id", "/up/secret", "/out/secret", "/file", "/in/03/02/id", "/in/../../secret", "/up/root/up/secret", "/2026/../file", "/out", "/.secret", "/../secret"} {
		f.Add(p)
	}
	f.Fuzz(func(t *testing.T, below string) {
		p := root + below
		if s.Owns(p) && (path.Clean(p) != p || !strings.HasPrefix(p, root+"/") || strings.ContainsRune(p, 0)) {
			t.Errorf("%q is owned", p)
		}
		if r, _, err := s.Open(t.Context(), p); err == nil {
			content, err := io.ReadAll(r)
			r.Close()
			if err != nil || bytes.Contains(content, secret) {
				t.Errorf("%q gives %q: %v", p, content, err)
			}
		}
		// Putting comes before removing: what is new goes again, and what was there is not replaced.
		if err := s.Put(t.Context(), p, strings.NewReader("new")); err == nil {
			if err := s.Remove(t.Context(), p); err != nil {
				t.Errorf("remove %q: %v", p, err)
			}
		}
		for _, kept := range []string{filepath.Join(top, "secret"), filepath.Join(root, blob.SetAside, "secret"), filepath.Join(root, ".secret")} {
			if content, err := os.ReadFile(kept); err != nil || !bytes.Equal(content, secret) {
				t.Fatalf("%q changed %s: %q, %v", p, kept, content, err)
			}
		}
		if entries, err := os.ReadDir(top); err != nil || len(entries) != 2 {
			t.Fatalf("%q left %v beside the store: %v", p, entries, err)
		}
	})
}
