package blob_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"go.uber.org/goleak"

	"portaldb/internal/blob"
	"portaldb/internal/blob/s3test"
)

func TestMain(m *testing.M) {
	if root, ok := os.LookupEnv(uploaderRoot); ok {
		upload(root)
	}
	goleak.VerifyTestMain(run(func() int {
		defer s3test.Stop()
		return m.Run()
	}))
}

// run is what goleak runs before it looks.
type run func() int

// Run runs it.
func (r run) Run() int { return r() }

// at is when the files of the tests are put, in a zone whose date is another one.
var at = time.Date(2026, 3, 1, 23, 30, 0, 0, time.FixedZone("", -3*3600))

// conform holds a store against what Store promises. open makes an empty one; unfinished leaves in it what a Put does that
// was killed on its way to the path.
func conform(t *testing.T, open func(testing.TB) *blob.Set, unfinished func(t testing.TB, s *blob.Set, path string)) {
	t.Run("a path is dated in UTC and owned", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		path := s.Path("Abc-_123456789", at)
		if !strings.HasSuffix(path, "/2026/03/02/Abc-_123456789") || !s.Owns(path) {
			t.Errorf("path %s", path)
		}
	})
	t.Run("what was put is what opens", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		for _, size := range []int{0, 1, 4095, 4096, 4097, 1 << 20, 8<<20 - 1, 8 << 20, 8<<20 + 1, 20 << 20} {
			path, content := s.Path(fmt.Sprintf("size-%d", size), at), random(size)
			// Like the part of a multipart body: in small pieces, the end told along with the last one.
			if err := s.Put(t.Context(), path, iotest.DataErrReader(iotest.HalfReader(bytes.NewReader(content)))); err != nil {
				t.Fatalf("%d bytes: %v", size, err)
			}
			want(t, s, path, content)
		}
	})
	t.Run("nothing is overwritten", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		path := s.Path("once", at)
		put(t, s, path, []byte("first"))
		if err := s.Put(t.Context(), path, strings.NewReader("second")); !errors.Is(err, fs.ErrExist) {
			t.Errorf("error %v", err)
		}
		want(t, s, path, []byte("first"))
		list(t, s, path)
	})
	t.Run("eight puts to one path make one file", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		path := s.Path("raced", at)
		errs := make([]error, 8)
		var group sync.WaitGroup
		for i := range errs {
			group.Go(func() { errs[i] = s.Put(t.Context(), path, strings.NewReader(strings.Repeat(fmt.Sprint(i), 100_000))) })
		}
		group.Wait()
		winner := -1
		for i, err := range errs {
			switch {
			case err == nil && winner < 0:
				winner = i
			case err == nil:
				t.Errorf("%d and %d both won", winner, i)
			case !errors.Is(err, fs.ErrExist):
				t.Errorf("put %d: %v", i, err)
			}
		}
		want(t, s, path, []byte(strings.Repeat(fmt.Sprint(winner), 100_000)))
		list(t, s, path)
	})
	t.Run("a put that fails leaves nothing", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		broken := errors.New("the client is gone")
		for _, size := range []int{0, 1, 100_000, 9 << 20} {
			// io.ErrUnexpectedEOF is what a body gives that was cut off: it must not pass for the end.
			for _, cause := range []error{broken, io.ErrUnexpectedEOF, io.ErrNoProgress, context.Canceled} {
				path := s.Path(fmt.Sprintf("cut-%d", size), at)
				err := s.Put(t.Context(), path, io.MultiReader(bytes.NewReader(random(size)), iotest.ErrReader(cause)))
				if !errors.Is(err, cause) {
					t.Errorf("%v after %d bytes: error %v", cause, size, err)
				}
				wantNone(t, s, path)
			}
		}
		list(t, s)
		put(t, s, s.Path("cut-1", at), []byte("the next try"))
	})
	t.Run("a put that is called off leaves nothing", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		for _, size := range []int{0, 100, 17 << 20} {
			ctx, cancel := context.WithCancel(t.Context())
			path := s.Path("off", at)
			err := s.Put(ctx, path, io.MultiReader(bytes.NewReader(random(size)), cancelling(cancel), bytes.NewReader(random(20<<20))))
			if !errors.Is(err, context.Canceled) {
				t.Errorf("after %d bytes: error %v", size, err)
			}
			wantNone(t, s, path)
		}
		list(t, s)
	})
	t.Run("a file is read from anywhere", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		path, content := s.Path("ranges", at), random(300_000)
		put(t, s, path, content)
		r, info, err := s.Open(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		for _, offset := range []int{0, 1, 299_999, 300_000, 150_000, 0} {
			if n, err := r.Seek(int64(offset), io.SeekStart); err != nil || n != int64(offset) {
				t.Fatalf("seek to %d: %d, %v", offset, n, err)
			}
			got, err := io.ReadAll(r)
			if err != nil || !bytes.Equal(got, content[offset:]) {
				t.Errorf("from %d: %d bytes, %v", offset, len(got), err)
			}
		}
		if n, err := r.Seek(-10, io.SeekEnd); err != nil || n != 299_990 {
			t.Errorf("from the end: %d, %v", n, err)
		}
		if n, err := r.Seek(-10, io.SeekCurrent); err != nil || n != 299_980 {
			t.Errorf("from here: %d, %v", n, err)
		}
		if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, content[299_980:]) {
			t.Errorf("after that: %d bytes, %v", len(got), err)
		}
		if _, err := r.Seek(-1, io.SeekStart); err == nil {
			t.Error("a place before the beginning")
		}

		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			http.ServeContent(w, req, "", info.ModTime, r)
		}))
		defer server.Close()
		defer server.Client().CloseIdleConnections()
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL, nil)
		req.Header.Set("Range", "bytes=100-199,299900-")
		answer, err := server.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		body, err := io.ReadAll(answer.Body)
		if err != nil || answer.StatusCode != http.StatusPartialContent || !bytes.Contains(body, content[100:200]) || !bytes.Contains(body, content[299_900:]) {
			t.Errorf("two ranges over HTTP: %s, %d bytes, %v", answer.Status, len(body), err)
		}
	})
	t.Run("removing", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		path, other := s.Path("removed", at), s.Path("removed-not", at)
		put(t, s, path, []byte("x"))
		put(t, s, other, []byte("y"))
		errs := make([]error, 4)
		var group sync.WaitGroup
		for i := range errs {
			group.Go(func() { errs[i] = s.Remove(t.Context(), path) })
		}
		group.Wait()
		if err := errors.Join(errs...); err != nil {
			t.Error(err)
		}
		wantNone(t, s, path)
		if err := s.Remove(t.Context(), path); err != nil {
			t.Errorf("what is gone: %v", err)
		}
		if err := s.Remove(t.Context(), s.Path("never", at.AddDate(1, 0, 0))); err != nil {
			t.Errorf("what never was: %v", err)
		}
		list(t, s, other)
	})
	t.Run("what a killed put left", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		path, other := s.Path("killed", at), s.Path("whole", at)
		put(t, s, other, []byte("y"))
		unfinished(t, s, path)
		wantNone(t, s, path)
		list(t, s, "unfinished "+path, other)
		for range 2 {
			if err := s.Remove(t.Context(), path); err != nil {
				t.Error(err)
			}
		}
		list(t, s, other)
		put(t, s, path, []byte("x"))

		unfinished(t, s, s.Path("aside", at))
		if err := s.SetAside(t.Context(), s.Path("aside", at)); err != nil {
			t.Error(err)
		}
		list(t, s, path, other)
	})
	t.Run("a put whose file is removed meanwhile fails", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		path := s.Path("raced", at)
		r, w := io.Pipe()
		put := make(chan error)
		go func() { put <- s.Put(t.Context(), path, r) }()
		_, _ = w.Write(random(9 << 20)) // more than a part
		for begun := false; !begun; time.Sleep(time.Millisecond) {
			for entry, err := range s.All(t.Context()) {
				begun = err == nil && entry.Unfinished && entry.Path == path
			}
		}
		if err := s.Remove(t.Context(), path); err != nil {
			t.Error(err)
		}
		w.Close()
		if err := <-put; err == nil || errors.Is(err, fs.ErrNotExist) {
			t.Errorf("put: %v", err)
		}
		list(t, s)
	})
	t.Run("setting aside", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		path := s.Path("aside", at)
		for i := range 3 {
			put(t, s, path, []byte{byte(i)})
			if err := s.SetAside(t.Context(), path); err != nil {
				t.Fatal(err)
			}
			wantNone(t, s, path)
		}
		if err := s.SetAside(t.Context(), path); err != nil {
			t.Errorf("what is gone: %v", err)
		}
		list(t, s)
		aside := strings.Replace(path, "/2026/", "/"+blob.SetAside+"/2026/", 1)
		if s.Owns(aside) {
			t.Error("what is set aside can be served")
		}
		if _, _, err := s.Open(t.Context(), aside); !errors.Is(err, blob.ErrOutside) {
			t.Errorf("what is set aside opens: %v", err)
		}
	})
	t.Run("a listing is sorted and whole", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		if list(t, s); t.Failed() {
			t.Fatal("a new store has files")
		}
		var paths []string
		for day := range 3 {
			for _, id := range []string{"A", "B-", "B", "_", "-", "a", "é", "~"} {
				path := s.Path(id, at.AddDate(0, -day, day))
				put(t, s, path, random(day))
				paths = append(paths, path)
			}
		}
		slices.Sort(paths)
		list(t, s, paths...)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		var last error
		for _, err := range s.All(ctx) {
			last = err
		}
		if last == nil {
			t.Error("a listing that was called off seems whole")
		}
	})
	t.Run("paths of others", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		for _, path := range strange(s) {
			if s.Owns(path) {
				t.Errorf("%q is owned", path)
			}
			if _, _, err := s.Open(t.Context(), path); !errors.Is(err, blob.ErrOutside) {
				t.Errorf("open %q: %v", path, err)
			}
			for what, err := range map[string]error{
				"put": s.Put(t.Context(), path, strings.NewReader("x")), "remove": s.Remove(t.Context(), path), "set aside": s.SetAside(t.Context(), path),
			} {
				if !errors.Is(err, blob.ErrOutside) {
					t.Errorf("%s %q: %v", what, path, err)
				}
			}
		}
		list(t, s)
	})
	t.Run("a marker stays as it is", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		root := s.Roots()[0]
		if path := s.Path("id", at); path != root.String()+"2026/03/02/id" {
			t.Errorf("root %s of %s", root, path)
		}
		if marker, err := root.Marker(t.Context()); marker != "" || err != nil {
			t.Errorf("marker %q, %v before there is one", marker, err)
		}
		errs := make([]error, 4)
		var group sync.WaitGroup
		for i := range errs {
			group.Go(func() { errs[i] = root.Mark(t.Context(), fmt.Sprint("marker-", i)) })
		}
		group.Wait()
		marker, err := root.Marker(t.Context())
		if err != nil {
			t.Error(err)
		}
		for i, err := range errs {
			if won := marker == fmt.Sprint("marker-", i); won != (err == nil) || !won && !errors.Is(err, fs.ErrExist) {
				t.Errorf("mark %d: %v, and the marker is %q", i, err, marker)
			}
		}
		root.Expect(marker)
		put(t, s, s.Path("id", at), []byte("x"))
		list(t, s, s.Path("id", at))
	})
	t.Run("a check leaves nothing", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		if err := s.Check(t.Context()); err != nil {
			t.Error(err)
		}
		list(t, s)
	})
}

// strange are paths that no store may follow.
func strange(s *blob.Set) []string {
	root := strings.TrimSuffix(s.Path("", at), "/2026/03/02/")
	return []string{
		"", "/", ".", "..", "/etc/passwd", "etc/passwd", root, root + "/", root + "//", root + "x/2026/03/02/id", root + "\x00/id", "s3://other/2026/03/02/id",
		root + "/..", root + "/../id", root + "/2026/../../id", root + "/2026/../id", root + "/./id", root + "/2026//id", root + "/2026/03/02/id/", root + "/2026/03/02/.id.part",
		root + "/.hidden", root + "/2026/\x00", root + "/\xff", root + "/" + blob.SetAside + "/2026/03/02/id", root + "/lost+found/1",
		root + "/" + strings.Repeat("x", 241), root + strings.Repeat("/x", 600), "/" + root + "/2026/03/02/id", " " + root + "/2026/03/02/id",
	}
}

func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b)
	return b
}

func put(t testing.TB, s blob.Store, path string, content []byte) {
	t.Helper()
	if err := s.Put(t.Context(), path, bytes.NewReader(content)); err != nil {
		t.Fatalf("put %s: %v", path, err)
	}
}

// want fails unless the path has this content.
func want(t testing.TB, s blob.Store, path string, content []byte) {
	t.Helper()
	r, info, err := s.Open(t.Context(), path)
	if err != nil {
		t.Errorf("open %s: %v", path, err)
		return
	}
	defer r.Close()
	got, err := io.ReadAll(r)
	if err != nil || !bytes.Equal(got, content) {
		t.Errorf("%s has %d bytes, not the %d that were put: %v", path, len(got), len(content), err)
	}
	if age := time.Since(info.ModTime); info.Size != int64(len(content)) || age < -time.Minute || age > 10*time.Minute {
		t.Errorf("%s: %+v", path, info)
	}
}

func wantNone(t testing.TB, s blob.Store, path string) {
	t.Helper()
	if _, _, err := s.Open(t.Context(), path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("open %s: %v", path, err)
	}
}

// list fails unless the store has these files, whose paths are those of finished ones in this order.
func list(t testing.TB, s blob.Store, want ...string) {
	t.Helper()
	got := []string{}
	for entry, err := range s.All(t.Context()) {
		if err != nil {
			t.Fatalf("list: %v", err)
		}
		path := entry.Path
		if entry.Unfinished {
			path = "unfinished " + path
		}
		got = append(got, path)
	}
	unfinished := func(p string) bool { return strings.HasPrefix(p, "unfinished ") }
	for _, same := range []func(string) bool{unfinished, func(p string) bool { return !unfinished(p) }} {
		a, b := slices.DeleteFunc(slices.Clone(got), same), slices.DeleteFunc(slices.Clone(want), same)
		if !slices.Equal(a, b) {
			t.Errorf("the store has %q, want %q", a, b)
		}
	}
}

// cancelling calls cancel when it is read, and has nothing to say.
type cancelling context.CancelFunc

func (c cancelling) Read([]byte) (int, error) {
	c()
	return 0, io.EOF
}
