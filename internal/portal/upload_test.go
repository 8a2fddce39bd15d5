package portal_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"
	"pgregory.net/rapid"

	"portaldb/internal/blob"
	"portaldb/internal/portal"
)

func TestFiles_Upload(t *testing.T) {
	t.Parallel()
	b := setupFiles(t)
	content := strings.Repeat("linha\n", 100_000)
	file := b.upload(t, content, portal.NewFile{OwnerID: ptr("00000000001"), OwnerName: ptr("Ação"), TTL: "30d"})
	sum := sha256.Sum256([]byte(content))
	want := portal.File{
		ID: file.ID, Filename: "relatório.txt", Size: int64(len(content)), ContentType: ptr("text/plain; charset=utf-8"),
		OwnerID: ptr("00000000001"), OwnerName: ptr("Ação"), CreatedAt: file.CreatedAt, ExpiresAt: file.CreatedAt.Add(30 * 24 * time.Hour), SHA256: sum[:],
	}
	if diff := cmp.Diff(want, file); diff != "" {
		t.Error(diff)
	}
	if len(file.ID) != 14 || strings.Trim(file.ID, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
		t.Errorf("id %q", file.ID)
	}
	if got, want := b.path(t, file.ID), b.root+file.CreatedAt.UTC().Format("/2006/01/02/")+file.ID; got != want {
		t.Errorf("path %s, want %s", got, want)
	}
	if n := value[int](t, b.bundle, "SELECT count(*) FROM service.file_uploads"); n != 0 {
		t.Errorf("%d uploads under way", n)
	}

	// The lifetimes, and an owner that is none.
	for ttl, hours := range map[string]int{"": 7 * 24, "1d": 24, "7d": 7 * 24, "30d": 30 * 24} {
		file := b.upload(t, "", portal.NewFile{TTL: ttl, OwnerID: ptr(""), OwnerName: ptr("")})
		if got := file.ExpiresAt.Sub(file.CreatedAt); got != time.Duration(hours)*time.Hour || file.OwnerID != nil || file.OwnerName != nil || file.Size != 0 {
			t.Errorf("ttl %q: %s, %+v", ttl, got, file)
		}
	}
}

func TestFiles_Upload_Types(t *testing.T) {
	t.Parallel()
	b := setupFiles(t, func(cfg *portal.FilesConfig) { cfg.AllowedMIME = []string{"application/pdf", "image/"} })
	for _, test := range []struct{ name, content, want string }{
		{"x.exe", "%PDF-1.7\n", "application/pdf"},
		{"x.txt", "\x89PNG\r\n\x1a\n", "image/png"},
		{"x.pdf", "<html><script>", ""},
		{"x.pdf", "MZ\x90\x00", ""},
		{"x.pdf", "", ""},
		{"x.png", " \x89PNG\r\n\x1a\n", ""},
	} {
		u, err := b.files.Upload(t.Context(), test.name, strings.NewReader(test.content))
		if test.want == "" {
			wantCode(t, err, portal.CodeUnsupported)
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		file, err := b.files.Create(t.Context(), "bff", u, portal.NewFile{})
		if err != nil || *file.ContentType != test.want {
			t.Errorf("%q: %+v, %v", test.content, file, err)
		}
		if err := b.files.Delete(t.Context(), "bff", file.ID); err != nil {
			t.Error(err)
		}
	}
	b.sweep(t)
	b.exec(t, "DELETE FROM fileshare_items")
	b.wantNothing(t)
}

// TestFiles_Upload_Names stores bytes under every name that can be had, and gets both back.
func TestFiles_Upload_Names(t *testing.T) {
	t.Parallel()
	b := setupFiles(t)
	name := rapid.OneOf(
		rapid.String(), rapid.StringN(200, 300, -1),
		rapid.SampledFrom([]string{"", ".", "..", "a/..", "/", `C:\pasta\ação.pdf`, "../../etc/passwd", "a\x00b", "a\xffb", "\r\nSet-Cookie: x", `"; filename*=`, "\u202egpj.exe", strings.Repeat("ç", 255), strings.Repeat("ç", 256)}),
		rapid.Map(rapid.SliceOf(rapid.Byte()), func(raw []byte) string { return string(raw) }),
	)
	rapid.Check(t, func(t *rapid.T) {
		name, content := name.Draw(t, "name"), rapid.SliceOf(rapid.Byte()).Draw(t, "content")
		base := name[strings.LastIndexAny(name, `/\`)+1:]
		valid := utf8.ValidString(name) && !strings.Contains(name, "\x00") && base != "" && base != "." && base != ".." && utf8.RuneCountInString(base) <= 255
		u, err := b.files.Upload(context.Background(), name, bytes.NewReader(content))
		if !valid {
			if portal.ErrorCode(err) != portal.CodeInvalid {
				t.Fatalf("error %v, want one of code invalid", err)
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		defer u.Discard()
		file, err := b.files.Create(context.Background(), "bff", u, portal.NewFile{})
		if err != nil || file.Filename != base {
			t.Fatalf("%+v, %v", file, err)
		}
		d, err := b.files.Open(context.Background(), file.ID, portal.Access{})
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		if got, err := io.ReadAll(d.Content); err != nil || !bytes.Equal(got, content) {
			t.Fatalf("%q, %v", got, err)
		}
	})
}

func TestFiles_Upload_Refused(t *testing.T) {
	t.Parallel()
	b := setupFiles(t, func(cfg *portal.FilesConfig) { cfg.MaxSize = 5 << 20 })
	upload := func(r io.Reader) error {
		u, err := b.files.Upload(t.Context(), "x.bin", r)
		if err == nil {
			u.Discard()
		}
		return err
	}
	if err := upload(bytes.NewReader(noise(5 << 20))); err != nil {
		t.Errorf("as large as may be: %v", err)
	}
	endless := &counter{Reader: zeros{}}
	wantCode(t, upload(endless), portal.CodeTooLarge)
	if read := endless.n.Load(); read > 7<<20 {
		t.Errorf("%d bytes were read before an endless file was refused", read)
	}
	wantCode(t, upload(cut{bytes.NewReader(noise(100)), io.ErrUnexpectedEOF}), portal.CodeInvalid)
	wantCode(t, upload(cut{bytes.NewReader(noise(4 << 20)), errors.New("reset by peer")}), portal.CodeInvalid)
	wantCode(t, upload(cut{bytes.NewReader(noise(4 << 20)), &portal.Error{Code: portal.CodeTooMany}}), portal.CodeTooMany)
	b.store.fail = func(operation, _ string) error { return map[string]error{"Put": syscall.ENOSPC}[operation] }
	if err := upload(strings.NewReader("x")); portal.ErrorCode(err) != portal.CodeUnavailable || !strings.Contains(err.Error(), "no room") {
		t.Errorf("disk full: %v", err)
	}
	b.store.fail = nil
	if n := value[int](t, b.bundle, "SELECT count(*) FROM service.file_uploads"); n != 0 {
		t.Errorf("%d intents left", n)
	}
	// Bytes that may turn up yet are looked for.
	b.store.fail = func(operation, _ string) error { return map[string]error{"Put ended": blob.ErrUnknown}[operation] }
	wantCode(t, upload(strings.NewReader("x")), portal.CodeUnavailable)
	b.store.fail = nil
	if n := value[int](t, b.bundle, "SELECT count(*) FROM service.file_uploads WHERE abandoned_at IS NOT NULL"); n != 1 || len(b.stored(t)) != 0 {
		t.Errorf("%d intents left, and %q", n, b.stored(t))
	}
	b.exec(t, "UPDATE service.file_uploads SET alive_at = now() - interval '25 hours', abandoned_at = now() - interval '25 hours'")
	b.sweep(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := b.files.Upload(ctx, "x", strings.NewReader("x"))
	wantCode(t, err, portal.CodeUnavailable)

	for _, n := range []portal.NewFile{
		{TTL: "2d"}, {TTL: "1D"}, {TTL: "-1d"}, {MaxDownloads: ptr(int32(0))}, {MaxDownloads: ptr(int32(-1))}, {Secret: strings.Repeat("x", 1001)}, {Secret: " x"}, {Secret: "x\t"}, {Secret: "a\nb"},
		{OwnerID: ptr(strings.Repeat("x", 201))}, {OwnerID: ptr("a\x00")}, {OwnerName: ptr("\xff")},
	} {
		u, err := b.files.Upload(t.Context(), "x", strings.NewReader("x"))
		if err != nil {
			t.Fatal(err)
		}
		_, err = b.files.Create(t.Context(), "bff", u, n)
		wantCode(t, err, portal.CodeInvalid)
		u.Discard()
		u.Discard()
	}
	b.wantNothing(t)
}

// TestFiles_Upload_Faults breaks an upload at every step, with and without a process that clears up after itself. Then the
// sweeper comes: either there is a file with all its bytes, or nothing.
func TestFiles_Upload_Faults(t *testing.T) {
	t.Parallel()
	type fault struct {
		name          string
		before, after string // a statement that fails, or whose answer is lost
		store         string // an operation that fails
		cut           int    // how many bytes come
		file          bool   // whether there is one in the end
	}
	faults := []fault{
		{name: "none", file: true},
		{name: "no intent", before: "CreateUpload"},
		{name: "intent lost", after: "CreateUpload"},
		{name: "store refuses", store: "Put"},
		{name: "store fails when all is stored", store: "Put ended"},
		{name: "no byte", cut: -1},
		{name: "few bytes", cut: 10},
		{name: "half", cut: 300_000},
		{name: "no row", before: "CreateFile"},
		{name: "row lost", after: "CreateFile", file: true},
	}
	// What fails besides, when the process clears up.
	besides := []fault{{name: "nothing"}, {name: "no mark", before: "AbandonUpload"}, {name: "mark lost", after: "AbandonUpload"},
		{name: "no removal", store: "Remove"}, {name: "intent stays", before: "DeleteUploads"}, {name: "process dies"}}
	for _, first := range faults {
		for _, second := range besides {
			t.Run(first.name+", "+second.name, func(t *testing.T) {
				t.Parallel()
				b := setupFiles(t)
				b.database.before = func(name string) error {
					if name == first.before || name == second.before {
						return errLost
					}
					return nil
				}
				b.database.after = func(name string) error {
					if name == first.after || name == second.after {
						return errLost
					}
					return nil
				}
				b.store.fail = func(operation, _ string) error {
					if operation == first.store || operation == second.store {
						return errNotThere
					}
					return nil
				}
				content := noise(600_000)
				var r io.Reader = bytes.NewReader(content)
				if first.cut != 0 {
					r = cut{bytes.NewReader(content[:max(first.cut, 0)]), errors.New("reset by peer")}
				}
				u, err := b.files.Upload(t.Context(), "x.bin", r)
				if err == nil {
					_, err = b.files.Create(t.Context(), "bff", u, portal.NewFile{})
					if second.name == "process dies" {
						u.Freeze()
					} else {
						u.Discard()
					}
				}
				if (err == nil) != (first.name == "none") {
					t.Errorf("error %v", err)
				}

				b.database.before, b.database.after, b.store.fail = nil, nil, nil
				b.exec(t, "UPDATE service.file_uploads SET alive_at = now() - interval '11 minutes'")
				b.sweep(t)
				b.exec(t, "UPDATE service.file_uploads SET abandoned_at = now() - interval '25 hours', claimed_at = now() - interval '11 minutes'")
				b.sweep(t)
				b.age(t)
				if report, err := b.files.Fsck(t.Context(), false, nil); err != nil || report.Missing != nil || report.Orphaned != nil || report.Damaged != nil {
					t.Errorf("%+v, %v", report, err)
				}
				if !first.file {
					b.wantNothing(t)
					if n := value[int](t, b.bundle, "SELECT count(*) FROM automation_audits"); n != 0 {
						t.Errorf("%d audit events", n)
					}
					return
				}
				id := value[string](t, b.bundle, "SELECT id FROM fileshare_items")
				d, err := b.files.Open(t.Context(), id, portal.Access{})
				if err != nil {
					t.Fatal(err)
				}
				if got := b.download(t, d); got != string(content) {
					t.Errorf("%d bytes, not those that were sent", len(got))
				}
				if n := value[int](t, b.bundle, "SELECT (SELECT count(*) FROM service.file_uploads) * 100 + (SELECT count(*) FROM automation_audits)"); n != 1 {
					t.Errorf("%d uploads left and audit events", n)
				}
			})
		}
	}
}

// TestFiles_Upload_Abandoned is about uploads that the sweeper takes for dead and that are not.
func TestFiles_Upload_Abandoned(t *testing.T) {
	t.Parallel()
	b := setupFiles(t)
	u, err := b.files.Upload(t.Context(), "x", strings.NewReader("bytes"))
	if err != nil {
		t.Fatal(err)
	}
	path := value[string](t, b.bundle, "SELECT path FROM service.file_uploads")
	if report := b.sweep(t); report.Uploads != 0 {
		t.Errorf("an upload that lasts was swept: %+v", report)
	}
	b.exec(t, "UPDATE service.file_uploads SET alive_at = now() - interval '11 minutes'")
	if report := b.sweep(t); report.Uploads != 1 || len(b.stored(t)) != 0 {
		t.Errorf("%+v, left %q", report, b.stored(t))
	}
	_, err = b.files.Create(t.Context(), "bff", u, portal.NewFile{})
	wantCode(t, err, portal.CodeUnavailable)
	u.Freeze()

	// Its bytes come after all: they were on their way.
	if err := os.WriteFile(path, []byte("bytes"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, ago := range []string{"1 hour", "25 hours"} {
		b.exec(t, "UPDATE service.file_uploads SET claimed_at = now() - interval '11 minutes', abandoned_at = now() - $1::text::interval", ago)
		if report := b.sweep(t); report.Uploads != 0 || report.Failed != 0 || len(b.stored(t)) != 0 {
			t.Errorf("%+v, left %q", report, b.stored(t))
		}
	}
	b.wantNothing(t)
}

// TestFiles_Upload_Alive has an upload last longer than the sweeper waits, with a client that sends nothing meanwhile.
func TestFiles_Upload_Alive(t *testing.T) {
	t.Parallel()
	b := setupFiles(t)
	b.files.SetHeartbeat(10 * time.Millisecond)
	touched := func(t testing.TB) {
		t.Helper()
		b.exec(t, "UPDATE service.file_uploads SET alive_at = now() - interval '11 minutes'")
		for value[bool](t, b.bundle, "SELECT alive_at < now() - interval '10 minutes' FROM service.file_uploads") {
			time.Sleep(5 * time.Millisecond) // until the next heartbeat
		}
	}
	reader, writer := io.Pipe()
	type result struct {
		u   *portal.Upload
		err error
	}
	results := make(chan result, 1)
	go func() {
		u, err := b.files.Upload(t.Context(), "x", reader)
		results <- result{u, err}
	}()
	if _, err := writer.Write(noise(10_000)); err != nil {
		t.Fatal(err)
	}
	touched(t) // while the bytes come
	writer.Close()
	got := <-results
	if got.err != nil {
		t.Fatal(got.err)
	}
	touched(t) // and between the last one and the file
	if _, err := b.files.Create(t.Context(), "bff", got.u, portal.NewFile{}); err != nil {
		t.Error(err)
	}

	// One that is taken for dead all the same stops at once instead of storing the rest.
	reader, writer = io.Pipe()
	go func() {
		u, err := b.files.Upload(t.Context(), "x", reader)
		results <- result{u, err}
	}()
	if _, err := writer.Write(noise(10_000)); err != nil {
		t.Fatal(err)
	}
	for value[int](t, b.bundle, "SELECT count(*) FROM service.file_uploads") == 0 {
		time.Sleep(5 * time.Millisecond)
	}
	b.exec(t, "UPDATE service.file_uploads SET abandoned_at = now()")
	go func() {
		for {
			if _, err := writer.Write(noise(1_000)); err != nil {
				return
			}
			time.Sleep(time.Millisecond)
		}
	}()
	got = <-results
	reader.Close()
	wantCode(t, got.err, portal.CodeUnavailable)
	if !strings.Contains(fmt.Sprint(got.err), "given up") {
		t.Error(got.err)
	}
}

// TestFiles_Upload_Many uploads at once.
func TestFiles_Upload_Many(t *testing.T) {
	t.Parallel()
	b := setupFiles(t)
	uploads := 200
	if testing.Short() {
		uploads = 40
	}
	var group errgroup.Group
	for i := range uploads {
		group.Go(func() error {
			u, err := b.files.Upload(t.Context(), fmt.Sprintf("file %d", i), bytes.NewReader(noise(10_000+i)))
			if err != nil {
				return err
			}
			defer u.Discard()
			_, err = b.files.Create(t.Context(), "bff", u, portal.NewFile{})
			return err
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	b.age(t)
	report, err := b.files.Fsck(t.Context(), false, nil)
	if err != nil || report.Files != int64(uploads) || report.Entries != int64(uploads) || len(report.Missing)+len(report.Orphaned)+len(report.Damaged) > 0 {
		t.Errorf("%+v, %v", report, err)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

type counter struct {
	io.Reader
	n atomic.Int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.n.Add(int64(n))
	return n, err
}
