package portal_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"pgregory.net/rapid"

	"portaldb/db"
	"portaldb/internal/blob"
	"portaldb/internal/portal"
	"portaldb/internal/postgres"
)

// filesBundle is a Files on a database and a folder of its own.
type filesBundle struct {
	*bundle
	files    *portal.Files
	root     string
	store    *store
	database *database
}

func setupFiles(t testing.TB, change ...func(*portal.FilesConfig)) *filesBundle {
	t.Helper()
	b := &filesBundle{bundle: setup(t, "pool_max_conns=20"), root: t.TempDir()}
	set, err := blob.Open(blob.Config{Root: b.root})
	if err != nil {
		t.Fatal(err)
	}
	b.store = &store{Store: set, removed: map[string]int{}}
	b.database = &database{Primary: b.db.Primary()}
	b.files = b.replica(change...)
	return b
}

// replica is another Files on the same database and folder.
func (b *filesBundle) replica(change ...func(*portal.FilesConfig)) *portal.Files {
	cfg := portal.FilesConfig{Store: b.store}
	for _, change := range change {
		change(&cfg)
	}
	return portal.NewFiles(b.database, b.db.Reads(), cfg)
}

// store is a store that counts what it removes, and fails where a test says so.
type store struct {
	blob.Store
	mu      sync.Mutex
	removed map[string]int // by path, those that had bytes
	fail    func(operation, path string) error
}

func (s *store) failure(operation, path string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail == nil {
		return nil
	}
	return s.fail(operation, path)
}

func (s *store) Open(ctx context.Context, path string) (io.ReadSeekCloser, blob.Info, error) {
	if err := s.failure("Open", path); err != nil {
		return nil, blob.Info{}, err
	}
	return s.Store.Open(ctx, path)
}

func (s *store) Put(ctx context.Context, path string, r io.Reader) error {
	if err := s.failure("Put", path); err != nil {
		return err
	}
	if err := s.Store.Put(ctx, path, r); err != nil {
		return err
	}
	return s.failure("Put ended", path)
}

func (s *store) Remove(ctx context.Context, path string) error {
	if err := s.failure("Remove", path); err != nil {
		return err
	}
	if _, err := os.Stat(path); err == nil {
		s.mu.Lock()
		s.removed[path]++
		s.mu.Unlock()
	}
	return s.Store.Remove(ctx, path)
}

func (s *store) SetAside(ctx context.Context, path string) error {
	if err := s.failure("SetAside", path); err != nil {
		return err
	}
	return s.Store.SetAside(ctx, path)
}

// database is a Primary that counts the statements, each of which is one round trip, and fails where a test says so: before
// the statement is run, or after it, so that its answer is lost.
type database struct {
	postgres.Primary
	mu            sync.Mutex
	statements    []string
	before, after func(name string) error
	block         func(name string) // may wait, outside of the lock
}

var (
	_           portal.Primary = &database{}
	queryName                  = regexp.MustCompile(`-- name: (\w+)`)
	errLost                    = &portal.Error{Code: portal.CodeUnavailable, Message: "the connection to the database was lost"}
	errNotThere                = errors.New("the store is not there")
)

func (d *database) note(sql string) (before, after error) {
	name := queryName.FindStringSubmatch(sql)[1]
	if d.block != nil {
		defer d.block(name)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.statements = append(d.statements, name)
	if d.before != nil {
		before = d.before(name)
	}
	if d.after != nil && before == nil {
		after = d.after(name)
	}
	return before, after
}

func (d *database) Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	before, after := d.note(sql)
	if before != nil {
		return pgconn.CommandTag{}, before
	}
	tag, err := d.Primary.Exec(ctx, sql, args...)
	if after != nil {
		return pgconn.CommandTag{}, after
	}
	return tag, err
}

func (d *database) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	before, _ := d.note(sql)
	if before != nil {
		return nil, before
	}
	return d.Primary.Query(ctx, sql, args...)
}

func (d *database) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	before, after := d.note(sql)
	if before != nil {
		return lostRow{err: before}
	}
	return lostRow{d.Primary.QueryRow(ctx, sql, args...), after}
}

// After counts the two as one round trip, which they are.
func (d *database) After(sql string, args ...any) db.DBTX { return d.Primary.After(sql, args...) }

type lostRow struct {
	pgx.Row
	err error
}

func (r lostRow) Scan(dest ...any) error {
	if r.Row == nil {
		return r.err
	}
	return errors.Join(r.Row.Scan(dest...), r.err)
}

// counted returns the statements that run sends.
func (d *database) counted(run func()) []string {
	d.mu.Lock()
	d.statements = nil
	d.mu.Unlock()
	run()
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.statements)
}

// upload stores a file.
func (b *filesBundle) upload(t testing.TB, content string, n portal.NewFile) portal.File {
	t.Helper()
	u, err := b.files.Upload(t.Context(), "relatório.txt", strings.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	defer u.Discard()
	file, err := b.files.Create(t.Context(), "bff", u, n)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// legacy stores a file as the legacy code does.
func (b *filesBundle) legacy(t testing.TB, id, content string) (path string) {
	t.Helper()
	path = filepath.Join(b.root, "2026/01/02", id)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	b.exec(t, `INSERT INTO fileshare_items (id, filename, size, content_type, path, owner_id, created_at, expires_at, downloads)
		VALUES ($1, 'antigo.txt', $2, 'text/plain', $3, '00000000001', now(), now() + interval '7 days', 0)`, id, len(content), path)
	return path
}

func (b *filesBundle) path(t testing.TB, id string) string {
	t.Helper()
	return value[string](t, b.bundle, "SELECT path FROM fileshare_items WHERE id = $1", id)
}

// stored returns the files below the root, without the folders of their dates.
func (b *filesBundle) stored(t testing.TB) []string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(b.root, func(path string, entry os.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && entry.Name() != blob.Marker {
			rel, _ := filepath.Rel(b.root, path)
			names = append(names, regexp.MustCompile(`\d{4}/\d\d/\d\d/`).ReplaceAllString(rel, ""))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(names)
	return names
}

// age makes everything in the store look two hours old.
func (b *filesBundle) age(t testing.TB) {
	t.Helper()
	old := time.Now().Add(-2 * time.Hour)
	if err := filepath.WalkDir(b.root, func(path string, _ os.DirEntry, err error) error {
		return errors.Join(err, os.Chtimes(path, old, old))
	}); err != nil {
		t.Fatal(err)
	}
}

func (b *filesBundle) sweep(t testing.TB) portal.SweepReport {
	t.Helper()
	report, err := b.files.Sweep(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// events returns the audit events of a file, the oldest first.
func (b *filesBundle) events(t testing.TB, id string) []string {
	t.Helper()
	rows, err := b.conn.Query(t.Context(), `SELECT concat_ws(' ', actor_cpf, actor_nome, kind, action, jsonb_strip_nulls(meta - 'target_id' - 'link' - 'expires_at' - 'expired_at'))
		FROM automation_audits WHERE meta ->> 'target_id' = $1 ORDER BY id`, id)
	if err != nil {
		t.Fatal(err)
	}
	events, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return events
}

// wantNothing checks that no file, no upload and no byte is left.
func (b *filesBundle) wantNothing(t testing.TB) {
	t.Helper()
	if names := b.stored(t); len(names) > 0 {
		t.Errorf("left in the store: %q", names)
	}
	if n := value[int](t, b.bundle, "SELECT (SELECT count(*) FROM fileshare_items) + (SELECT count(*) FROM service.file_uploads)"); n != 0 {
		t.Errorf("%d rows of files and uploads left", n)
	}
}

func (b *filesBundle) download(t testing.TB, d *portal.Download) string {
	t.Helper()
	defer d.Close()
	content, err := io.ReadAll(d.Content)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func TestFiles_Get(t *testing.T) {
	t.Parallel()
	b := setupFiles(t)
	created := b.upload(t, "texto", portal.NewFile{OwnerID: ptr("00000000001"), OwnerName: ptr("Ação"), TTL: "1d", Secret: "s3nha", MaxDownloads: ptr(int32(3))})
	got, err := b.files.Get(t.Context(), created.ID)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(created, got); diff != "" {
		t.Error(diff)
	}
	for _, id := range []string{"", "absent", "%", strings.Repeat("x", 100_000)} {
		if _, err := b.files.Get(t.Context(), id); !errors.Is(err, portal.ErrNoFile) {
			t.Errorf("%.20q: %v", id, err)
		}
	}
	_, err = b.files.Get(t.Context(), "a\x00b")
	wantCode(t, err, portal.CodeInvalid)

	// What the legacy code has left may be odd in every way.
	b.exec(t, `INSERT INTO fileshare_items (id, filename, size, path, expires_at, secret_hash, deleted_at)
		VALUES ('', '', 9223372036854775807, '', 'infinity', '', '-infinity')`)
	if odd, err := b.files.Get(t.Context(), ""); err != nil || !odd.Protected || odd.ExpiresAt.Year() != 9999 {
		t.Errorf("%+v, %v", odd, err)
	}
}

func TestFiles_Delete(t *testing.T) {
	t.Parallel()
	b := setupFiles(t)
	file := b.upload(t, "texto", portal.NewFile{OwnerID: ptr("00000000001")})
	if err := b.files.Delete(t.Context(), "bff", file.ID); err != nil {
		t.Fatal(err)
	}
	if got, err := b.files.Get(t.Context(), file.ID); err != nil || got.DeletedAt == nil {
		t.Errorf("%+v, %v", got, err)
	}
	if err := b.files.Delete(t.Context(), "bff", file.ID); !errors.Is(err, portal.ErrFileDeleted) {
		t.Errorf("deleted again: %v", err)
	}
	if err := b.files.Delete(t.Context(), "bff", "absent"); !errors.Is(err, portal.ErrNoFile) {
		t.Errorf("absent: %v", err)
	}
	if _, err := b.files.Open(t.Context(), file.ID, portal.Access{}); !errors.Is(err, portal.ErrFileDeleted) {
		t.Errorf("open: %v", err)
	}
	want := []string{
		`00000000001 fileshare uploaded {"size": 5, "owner": "00000000001", "token": "bff", "filename": "relatório.txt"}`,
		`fileshare deleted {"size": 5, "owner": "00000000001", "token": "bff", "filename": "relatório.txt"}`,
	}
	if diff := cmp.Diff(want, b.events(t, file.ID)); diff != "" {
		t.Error(diff)
	}
	if report := b.sweep(t); report.Removed != 1 || len(b.stored(t)) != 0 {
		t.Errorf("%+v, left %q", report, b.stored(t))
	}
}

// TestFiles_List compares lists with what a loop over all files selects, whatever filters and pages there are.
func TestFiles_List(t *testing.T) {
	t.Parallel()
	b := setupFiles(t)
	b.exec(t, `INSERT INTO fileshare_items (id, filename, size, path, owner_id, owner_name, created_at, expires_at, deleted_at)
		SELECT 'file ' || i, 'Relatório_' || i || '%.pdf', i, '/x/' || i, CASE WHEN i % 3 > 0 THEN 'owner ' || i % 3 END, 'Servidor ' || i % 7,
		       now() - (i / 3) * interval '1 hour', now() + CASE WHEN i % 2 = 0 THEN interval '1 day' ELSE interval '-1 day' END,
		       CASE WHEN i % 5 < 2 THEN now() END
		FROM generate_series(1, 120) i`)
	all, err := b.files.List(t.Context(), portal.FileFilter{}, portal.PageRequest{Limit: 1000})
	if err != nil || len(all.Items) != 120 {
		t.Fatalf("%d files, %v", len(all.Items), err)
	}
	selects := func(f portal.FileFilter, file portal.File) bool {
		return (f.OwnerID == nil || file.OwnerID != nil && *file.OwnerID == *f.OwnerID) &&
			(f.Expired == nil || file.ExpiresAt.Before(time.Now()) == *f.Expired) &&
			(f.Deleted == nil || (file.DeletedAt != nil) == *f.Deleted) &&
			(f.Q == nil || strings.Contains(strings.ToLower(file.Filename+" "+*file.OwnerName), strings.ToLower(*f.Q)))
	}
	rapid.Check(t, func(t *rapid.T) {
		filter := portal.FileFilter{
			OwnerID: rapid.SampledFrom([]*string{nil, ptr("owner 1"), ptr("owner 2"), ptr(""), absent}).Draw(t, "owner"),
			Q:       rapid.SampledFrom([]*string{nil, ptr("RELATÓRIO_1"), ptr("%"), ptr("_2"), ptr("servidor 3"), absent}).Draw(t, "q"),
			Expired: rapid.SampledFrom([]*bool{nil, ptr(true), ptr(false)}).Draw(t, "expired"),
			Deleted: rapid.SampledFrom([]*bool{nil, ptr(true), ptr(false)}).Draw(t, "deleted"),
		}
		var want, got []string
		for _, file := range all.Items {
			if selects(filter, file) {
				want = append(want, file.ID)
			}
		}
		page := portal.PageRequest{Limit: rapid.IntRange(1, 60).Draw(t, "limit"), Count: portal.CountExact}
		for {
			list, err := b.files.List(context.Background(), filter, page)
			if err != nil {
				t.Fatal(err)
			}
			for _, file := range list.Items {
				got = append(got, file.ID)
			}
			if *list.Total != int64(len(want)) {
				t.Fatalf("total %d, want %d", *list.Total, len(want))
			}
			if page.Cursor = list.NextCursor; page.Cursor == "" {
				break
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatal(diff)
		}
	})
	for _, test := range []struct {
		filter portal.FileFilter
		page   portal.PageRequest
	}{
		{page: portal.PageRequest{Limit: -1}}, {page: portal.PageRequest{Limit: 1001}}, {page: portal.PageRequest{Offset: -1}},
		{page: portal.PageRequest{Cursor: "x"}}, {page: portal.PageRequest{Count: "x"}},
		{filter: portal.FileFilter{Q: ptr("")}}, {filter: portal.FileFilter{Q: ptr(strings.Repeat("x", 201))}},
		{filter: portal.FileFilter{OwnerID: ptr("a\x00")}}, {filter: portal.FileFilter{OwnerID: ptr("\xff")}},
	} {
		_, err := b.files.List(t.Context(), test.filter, test.page)
		wantCode(t, err, portal.CodeInvalid)
	}
}

// TestFiles_RoundTrips counts the statements that operations wait for, each of which is one round trip.
func TestFiles_RoundTrips(t *testing.T) {
	t.Parallel()
	b := setupFiles(t)
	ctx := t.Context()
	check := func(name string, run func(), want ...string) {
		t.Helper()
		if diff := cmp.Diff(want, b.database.counted(run)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	fail := func(err error) {
		t.Helper()
		if err != nil {
			t.Error(err)
		}
	}
	var file, protected portal.File
	var secret string
	check("attach", func() { fail(b.files.Attach(ctx)) }, "GetFileStore", "ListNewestPaths", "CreateFileStore")
	check("upload", func() { file = b.upload(t, "texto", portal.NewFile{}) }, "CreateUpload", "CreateFile")
	check("upload with a secret", func() { protected = b.upload(t, "texto", portal.NewFile{Secret: "s"}) }, "CreateUpload", "CreateFile")
	check("get", func() { _, err := b.files.Get(ctx, file.ID); fail(err) }, "GetFile")
	start := func(d *portal.Download, err error) {
		t.Helper()
		fail(err)
		fail(d.Start(ctx, 0))
		fail(d.Close())
	}
	check("download", func() { start(b.files.Open(ctx, file.ID, portal.Access{})) }, "GetFile", "StartDownload")
	check("continue", func() {
		d, err := b.files.Open(ctx, file.ID, portal.Access{})
		fail(err)
		fail(d.Start(ctx, 1))
		fail(d.Close())
	}, "GetFile", "StartDownload")
	check("download with a secret", func() { start(b.files.Open(ctx, protected.ID, portal.Access{Secret: ptr("s")})) },
		"GetFile", "CountAttempt", "ReturnAttempt", "StartDownload")
	check("and again", func() { start(b.files.Open(ctx, protected.ID, portal.Access{Secret: ptr("s")})) }, "GetFile", "StartDownload")
	check("create a link", func() {
		var err error
		_, secret, err = b.files.CreateLink(ctx, portal.Token{Name: "bff", Role: portal.RoleWriter}, file.ID, portal.NewLink{})
		fail(err)
	}, "GetFile", "CreateLink")
	check("download by a link", func() { start(b.files.OpenLink(ctx, secret, portal.Access{})) }, "GetFileByLink", "StartDownload")
	check("delete", func() { fail(b.files.Delete(ctx, "bff", file.ID)) }, "SoftDeleteFile")
	check("sweep", func() { b.sweep(t) }, "SoftDeleteExpiredFiles", "DeleteOldAttempts", "DeleteOldDownloads", "DeleteOldLinks",
		"GetFileStore", "ClaimPurges", "ConfirmPurges", "ClaimAbandonedUploads")
}

// TestFiles_Plans proves that lists and sweepers read an index, and few rows besides those that they return: at most the files
// of some weeks that have not expired, of which there are 2016, and never those of all time.
func TestFiles_Plans(t *testing.T) {
	t.Parallel()
	b := setupFiles(t)
	b.exec(t, `INSERT INTO fileshare_items (id, filename, size, path, owner_id, created_at, expires_at, deleted_at, purged_at)
		SELECT 'f' || i, 'f', 1, '/f/' || i, CASE WHEN i % 10 = 0 THEN NULL WHEN i % 3 = 0 THEN 'busy' WHEN i % 20000 = 1 THEN 'rare' ELSE 'owner ' || i % 2000 END,
		       at, at + interval '7 days',
		       CASE WHEN i % 100 = 0 THEN at + interval '1 day' WHEN at + interval '7 days' <= now() - interval '5 minutes' THEN at + interval '7 days 10 minutes' END,
		       CASE WHEN at + interval '7 days' <= now() - interval '15 minutes' THEN now() END
		FROM generate_series(1, 100000) i, LATERAL (SELECT now() - i * interval '5 minutes' AS at) clock`)
	b.exec(t, "VACUUM ANALYZE fileshare_items")
	explain := &explainer{Reads: b.db.Reads()}
	files := portal.NewFiles(b.database, explain, portal.FilesConfig{Store: b.store})
	statements := 0
	for _, owner := range []*string{nil, ptr("busy"), ptr("rare"), ptr("owner 17"), absent} {
		for _, expired := range []*bool{nil, ptr(true), ptr(false)} {
			for _, deleted := range []*bool{nil, ptr(true), ptr(false)} {
				for _, before := range []*time.Time{nil, ptr(time.Now().AddDate(0, 0, -3)), ptr(time.Now().AddDate(0, 0, -100))} {
					filter := portal.FileFilter{OwnerID: owner, Expired: expired, Deleted: deleted}
					page := portal.PageRequest{}
					if before != nil {
						page.Cursor = portal.FileCursor(filter, *before, "f")
					}
					list, err := files.List(t.Context(), filter, page)
					if err != nil {
						t.Fatal(err)
					}
					statements++
					most := 10*float64(len(list.Items)+portal.DefaultLimit) + 2100
					for _, scan := range explain.scans {
						if strings.HasPrefix(scan, "Seq Scan") {
							most = 0
						}
					}
					if explain.read > most {
						t.Errorf("owner %v, expired %v, deleted %v, before %v returns %d rows, reads %g, may read %g:\n\t%s", show(owner), show(expired), show(deleted), before,
							len(list.Items), explain.read, most, strings.Join(explain.scans, "\n\t"))
					}
				}
			}
		}
	}
	t.Logf("%d statements on 100000 files", statements)

	for name, sweep := range map[string]struct {
		sql  string
		args []any
	}{
		"expired":  {db.SoftDeleteExpiredFiles, []any{500}},
		"purges":   {db.ClaimPurges, []any{100}},
		"confirm":  {db.ConfirmPurges, []any{[]string{"f1", "f2"}}},
		"known":    {db.ListKnownPaths, []any{[]string{"f1", "f2"}}},
		"newest":   {db.ListNewestPaths, []any{"/", 20}},
		"download": {db.StartDownload, []any{int64(1), "f1", "", nil, nil, "downloaded", nil}},
	} {
		tx, err := b.conn.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var plan string
		rows, err := tx.Query(t.Context(), "EXPLAIN (ANALYZE) "+sweep.sql, sweep.args...)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		plan = strings.Join(lines, "\n")
		if strings.Contains(plan, "Seq Scan on fileshare_items") {
			t.Errorf("%s reads the whole table:\n%s", name, plan)
		}
		if err := tx.Rollback(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

func show[T any](p *T) string {
	if p == nil {
		return "any"
	}
	return fmt.Sprint(*p)
}

// cut reads some bytes and then fails.
type cut struct {
	io.Reader
	err error
}

func (c cut) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	if err == io.EOF {
		err = c.err
	}
	return n, err
}

func noise(n int) []byte { return bytes.Repeat([]byte{0xde, 0xad, 0xbe, 0xef, 0x01}, n/5+1)[:n] }
