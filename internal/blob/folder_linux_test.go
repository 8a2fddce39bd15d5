package blob_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"

	"portaldb/internal/blob"
)

// TestFolder_disk_full: a put that finds no room says so and leaves nothing, and the next one works when there is room.
func TestFolder_disk_full(t *testing.T) {
	t.Run("a full file system", func(t *testing.T) {
		root := t.TempDir()
		err := syscall.Mount("tmpfs", root, "tmpfs", 0, "mode=0700,size=4m")
		if errors.Is(err, syscall.EPERM) {
			// Not in every container may root mount; the other subtest meets the same end of a write.
			t.Log("mounting is not permitted here: a file size limit alone has to do")
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := syscall.Unmount(root, syscall.MNT_DETACH); err != nil {
				t.Error(err)
			}
		})
		starve(t, root, syscall.ENOSPC, func() {}, func() {})

		// Not even room for a folder's entry.
		s := openAt(t, blob.Config{Root: root})
		ballast := filepath.Join(root, ".ballast")
		if err := os.WriteFile(ballast, bytes.Repeat([]byte{1}, 8<<20), 0o600); !errors.Is(err, syscall.ENOSPC) {
			t.Fatal(err)
		}
		if err := s.Put(t.Context(), s.Path("full", at), bytes.NewReader(random(1))); !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("error %v", err)
		}
		wantNone(t, s, s.Path("full", at))
		list(t, s, s.Path("large", at), s.Path("small", at))
		if err := os.Remove(ballast); err != nil {
			t.Fatal(err)
		}
		put(t, s, s.Path("full", at), random(1))
	})
	t.Run("a file size limit", func(t *testing.T) {
		signal.Ignore(syscall.SIGXFSZ)
		defer signal.Reset(syscall.SIGXFSZ)
		var before syscall.Rlimit
		if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &before); err != nil {
			t.Fatal(err)
		}
		limit := func(l syscall.Rlimit) {
			if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &l); err != nil {
				t.Fatal(err)
			}
		}
		starve(t, t.TempDir(), syscall.EFBIG, func() { limit(syscall.Rlimit{Cur: 4 << 20, Max: before.Max}) }, func() { limit(before) })
	})
}

// starve puts a file of 6 MiB where only 4 have room. full takes the room away and free gives it back.
func starve(t *testing.T, root string, cause error, full, free func()) {
	t.Helper()
	s := openAt(t, blob.Config{Root: root})
	small := s.Path("small", at)
	full()
	put(t, s, small, random(100_000))
	err := s.Put(t.Context(), s.Path("large", at), bytes.NewReader(random(6<<20)))
	free()
	if !errors.Is(err, cause) || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v, want %v", err, cause)
	}
	list(t, s, small)
	put(t, s, s.Path("large", at), random(3<<20))
}
