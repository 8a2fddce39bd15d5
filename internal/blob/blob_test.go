package blob_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"portaldb/internal/blob"
)

// TestOpen: a wrong setting is named, told what it takes, and not repeated.
func TestOpen(t *testing.T) {
	t.Parallel()
	keys := map[string]string{"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "hidden"}
	for name, test := range map[string]struct {
		cfg  blob.Config
		want string
	}{
		"no root":                  {blob.Config{}, "UPLOAD_ROOT takes a folder"},
		"everything":               {blob.Config{Root: "/"}, "UPLOAD_ROOT takes a folder of its own"},
		"everything, longer":       {blob.Config{Root: "/tmp/.."}, "UPLOAD_ROOT takes a folder of its own"},
		"NUL":                      {blob.Config{Root: "/tmp/hidden\x00"}, "UPLOAD_ROOT takes a folder"},
		"another scheme":           {blob.Config{Root: "ftp://hidden/x"}, "UPLOAD_ROOT takes a folder"},
		"scheme in capitals":       {blob.Config{Root: "S3://hidden"}, "UPLOAD_ROOT takes a folder"},
		"no bucket":                {blob.Config{Root: "s3://", Env: keys}, "UPLOAD_ROOT takes a folder, or s3://bucket"},
		"a bucket of odd letters":  {blob.Config{Root: "s3://hidden_BUCKET", Env: keys}, "s3://bucket"},
		"a login in the URL":       {blob.Config{Root: "s3://id:hidden@bucket", Env: keys}, "s3://bucket"},
		"a wrong escape":           {blob.Config{Root: "s3://bucket?endpoint=%zz", Env: keys}, "s3://bucket"},
		"an unknown parameter":     {blob.Config{Root: "s3://bucket?secret=hidden", Env: keys}, "s3://bucket"},
		"two endpoints":            {blob.Config{Root: "s3://bucket?endpoint=http://a&endpoint=http://b", Env: keys}, "s3://bucket"},
		"a prefix that climbs":     {blob.Config{Root: "s3://bucket/a/../b", Env: keys}, "s3://bucket"},
		"an endpoint, no scheme":   {blob.Config{Root: "s3://bucket?endpoint=hidden:9000", Env: keys}, "UPLOAD_ROOT: the endpoint"},
		"an endpoint with a path":  {blob.Config{Root: "s3://bucket?endpoint=http://hidden/x", Env: keys}, "UPLOAD_ROOT: the endpoint"},
		"an endpoint with a login": {blob.Config{Root: "s3://bucket?endpoint=http://id:hidden@host", Env: keys}, "UPLOAD_ROOT: the endpoint"},
		"no keys":                  {blob.Config{Root: "s3://bucket"}, "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"},
		"a small chunk":            {blob.Config{Root: "/data", ChunkSize: 1}, "UPLOAD_CHUNK_SIZE takes a number of bytes"},
		"a negative chunk":         {blob.Config{Root: "/data", ChunkSize: -1}, "UPLOAD_CHUNK_SIZE takes"},
		"a huge chunk":             {blob.Config{Root: "/data", ChunkSize: 1 << 30}, "UPLOAD_CHUNK_SIZE takes"},
		"a wrong old root":         {blob.Config{Root: "/data", OldRoot: "/"}, "UPLOAD_OLD_ROOT takes"},
		"the same root":            {blob.Config{Root: "/data", OldRoot: "/data/"}, "UPLOAD_OLD_ROOT takes"},
		"an old root within":       {blob.Config{Root: "/data", OldRoot: "/data/old"}, "UPLOAD_OLD_ROOT takes"},
		"an old root around":       {blob.Config{Root: "/data/new", OldRoot: "/data"}, "UPLOAD_OLD_ROOT takes"},
		"a prefix around":          {blob.Config{Root: "s3://bucket/new", OldRoot: "s3://bucket", Env: keys}, "UPLOAD_OLD_ROOT takes"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := blob.Open(test.cfg)
			if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "hidden") {
				t.Errorf("error %v, want one with %q", err, test.want)
			}
		})
	}
	for name, cfg := range map[string]blob.Config{
		"a folder beside":        {Root: "/data/uploads2", OldRoot: "/data/uploads"},
		"S3 after a folder":      {Root: "s3://bucket?region=sa-east-1", OldRoot: "/data/uploads", Env: keys},
		"the endpoint elsewhere": {Root: "s3://bucket", Env: map[string]string{"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "s", "AWS_ENDPOINT_URL": "http://host:9000"}},
	} {
		if _, err := blob.Open(cfg); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestSet: new files go to the first store; files of the old root are served, listed, set aside and removed, and none is added.
func TestSet(t *testing.T) {
	t.Parallel()
	root, old := t.TempDir(), t.TempDir()
	s := openAt(t, blob.Config{Root: root, OldRoot: old})
	before := openAt(t, blob.Config{Root: old})
	fresh, legacy, aside := s.Path("new", at), before.Path("legacy", at), before.Path("aside", at)
	for _, path := range []string{legacy, aside} {
		put(t, before, path, []byte("y"))
	}
	put(t, s, fresh, []byte("x"))
	if !strings.HasPrefix(fresh, root+"/") {
		t.Errorf("a new file goes to %s", fresh)
	}
	want(t, s, legacy, []byte("y"))
	list(t, s, fresh, aside, legacy)
	if err := s.Put(t.Context(), before.Path("none", at), strings.NewReader("x")); err == nil {
		t.Error("the old root took a file")
	}
	if err := s.Check(t.Context()); err != nil {
		t.Error(err)
	}
	if err := s.SetAside(t.Context(), aside); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(old, blob.SetAside, "2026/03/02/aside")); err != nil {
		t.Error(err)
	}
	if err := s.Remove(t.Context(), legacy); err != nil {
		t.Error(err)
	}
	list(t, s, fresh)
	if err := s.Roots()[1].Mark(t.Context(), "old"); err != nil {
		t.Error(err)
	}
	if entries, err := os.ReadDir(root); err != nil || len(entries) != 1 {
		t.Errorf("the root for new files has %v: %v", entries, err)
	}
	if err := os.RemoveAll(old); err != nil {
		t.Fatal(err)
	}
	if err := s.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "UPLOAD_OLD_ROOT") {
		t.Errorf("the old root is gone: %v", err)
	}
}

// TestCheck: what is wrong with a folder is told with what to do.
func TestCheck(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	writeFile(t, file, "")
	for root, want := range map[string]string{
		file + "-missing": "does not exist: install -d -m 0750",
		file:              "is no folder",
		file + "/below":   "enter it",
		"/proc":           "cannot write there", // not even for root
	} {
		err := openAt(t, blob.Config{Root: root}).Check(t.Context())
		if err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "UPLOAD_ROOT: ") {
			t.Errorf("%s: error %v, want one with %q", root, err, want)
		}
	}
}
