package portal_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"portaldb/internal/blob"
	"portaldb/internal/portal"
)

// found returns the ids of findings, in order.
func found(findings []portal.FsckFinding) []string {
	ids := []string{}
	for _, f := range findings {
		ids = append(ids, f.ID)
	}
	slices.Sort(ids)
	return ids
}

func (b *filesBundle) fsck(t testing.TB, repair bool) portal.FsckReport {
	t.Helper()
	report, err := b.files.Fsck(t.Context(), repair, nil)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func TestFiles_Fsck(t *testing.T) {
	t.Parallel()
	b := setupFiles(t)
	upload := func(content string) string {
		return b.upload(t, content, portal.NewFile{OwnerID: ptr("00000000001")}).ID
	}
	good, missing, short, flipped, deleted, expired := upload("bom"), upload("sumiu"), upload("curto"), upload("virado"), upload("apagado"), upload("venceu")
	b.legacy(t, "legacy-good-AA", "antigo")
	b.legacy(t, "legacy-short-A", "antigo")
	must(t, os.Remove(b.path(t, missing)))
	must(t, os.Truncate(b.path(t, short), 2))
	must(t, os.WriteFile(b.path(t, flipped), []byte("viraDo"), 0o600))
	must(t, os.Truncate(b.path(t, "legacy-short-A"), 2))
	must(t, b.files.Delete(t.Context(), "bff", deleted)) // whose bytes are the sweeper's
	b.exec(t, "UPDATE fileshare_items SET expires_at = now() WHERE id = $1", expired)
	must(t, os.Remove(b.path(t, expired)))
	b.exec(t, "INSERT INTO fileshare_items (id, filename, size, path, expires_at) VALUES ('elsewhere', 'x', 1, '/elsewhere/x', now() + interval '1 day')")

	day := filepath.Join(b.root, "2026/01/02")
	// The legacy code knows the same folder by another path.
	b.exec(t, "INSERT INTO fileshare_items (id, filename, size, path, expires_at) VALUES ('remounted', 'x', 5, '/elsewhere/2026/01/02/remounted', now() + interval '1 day')")
	for _, name := range []string{"remounted", "orphan", ".orphan-part.part", "uploading", ".uploading-part.part", "swept"} {
		must(t, os.WriteFile(filepath.Join(day, name), []byte("bytes"), 0o600))
	}
	for _, id := range []string{"uploading", "uploading-part"} {
		b.exec(t, "INSERT INTO service.file_uploads (file_id, path) VALUES ($1, $2)", id, filepath.Join(day, id))
	}
	b.exec(t, `INSERT INTO fileshare_items (id, filename, size, path, expires_at, deleted_at, purged_at) VALUES ('swept', 'x', 5, $1, now(), now(), now())`, filepath.Join(day, "swept"))
	b.age(t)
	must(t, os.WriteFile(filepath.Join(day, "young"), []byte("bytes"), 0o600)) // as the legacy code stores before it adds the row

	var progress []portal.FsckProgress
	report, err := b.files.Fsck(t.Context(), false, func(p portal.FsckProgress) { progress = append(progress, p) })
	must(t, err)
	check := func(what string, got []portal.FsckFinding, want ...string) {
		t.Helper()
		slices.Sort(want)
		if diff := cmp.Diff(want, found(got)); diff != "" {
			t.Errorf("%s: %s", what, diff)
		}
		for _, f := range got {
			if f.Path == "" || f.Detail == "" {
				t.Errorf("%s: %+v", what, f)
			}
		}
	}
	check("missing", report.Missing, missing)
	check("damaged", report.Damaged, short, flipped, "legacy-short-A")
	check("orphaned", report.Orphaned, "orphan", "orphan-part", "swept")
	check("outside", report.Outside, "elsewhere", "remounted")
	if report.Repaired != 0 || report.Files != 8 || len(progress) < 7 || progress[len(progress)-1].Entries != report.Entries || progress[0].Of != 8 {
		t.Errorf("%+v, %+v", report, progress)
	}
	if again := b.fsck(t, false); cmp.Diff(report, again) != "" {
		t.Errorf("looking has changed something: %s", cmp.Diff(report, again))
	}

	before := b.bytes(t)
	if report := b.fsck(t, true); report.Repaired != 7 {
		t.Errorf("%d repaired, want 7: %+v", report.Repaired, report)
	}
	if diff := cmp.Diff(before, b.bytes(t)); diff != "" {
		t.Errorf("bytes were lost: %s", diff)
	}
	after := b.fsck(t, true)
	if len(after.Missing)+len(after.Damaged)+len(after.Orphaned)+after.Repaired != 0 || len(after.Outside) != 2 {
		t.Errorf("after the repair: %+v", after)
	}
	for _, id := range []string{missing, short, flipped, "legacy-short-A"} {
		if _, err := b.files.Open(t.Context(), id, portal.Access{}); !errors.Is(err, portal.ErrFileDeleted) {
			t.Errorf("%s: %v", id, err)
		}
	}
	for _, id := range []string{good, "legacy-good-AA"} {
		b.open(t, id, portal.Access{})
	}
	if diff := cmp.Diff([]string{`fileshare repaired {"size": 6, "found": "damaged", "owner": "00000000001", "filename": "relatório.txt"}`}, b.events(t, flipped)[1:]); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{`fileshare repaired {"size": 5, "found": "orphaned"}`}, b.events(t, "orphan")); diff != "" {
		t.Error(diff)
	}
	b.sweep(t)
	if !slices.ContainsFunc(b.stored(t), func(name string) bool {
		return strings.HasPrefix(name, blob.SetAside) && strings.Contains(name, flipped)
	}) {
		t.Errorf("what was set aside is swept: %q", b.stored(t))
	}
}

// bytes returns the contents of all files below the root, in order.
func (b *filesBundle) bytes(t testing.TB) []string {
	t.Helper()
	var contents []string
	err := filepath.WalkDir(b.root, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() || entry.Name() == blob.Marker {
			return err
		}
		content, err := os.ReadFile(path)
		contents = append(contents, string(content))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(contents)
	return contents
}

// TestFiles_Fsck_All_missing: that no file is there is a reason to stop, not to delete them all, whatever else is there or is said to be elsewhere.
func TestFiles_Fsck_All_missing(t *testing.T) {
	t.Parallel()
	b := setupFiles(t)
	for i := range 12 {
		if path := b.legacy(t, fmt.Sprintf("file-%09d", i), "antigo"); i > 0 {
			must(t, os.Remove(path))
		}
	}
	must(t, b.files.Attach(t.Context()))
	must(t, os.Rename(b.path(t, "file-000000000"), filepath.Join(b.root, "stray")))
	b.exec(t, "INSERT INTO fileshare_items (id, filename, size, path, expires_at) VALUES ('elsewhere', 'x', 1, '/elsewhere/x', now() + interval '1 day')")
	report, err := b.files.Fsck(t.Context(), true, nil)
	wantCode(t, err, portal.CodeConflict)
	if len(report.Missing) != 12 || report.Repaired != 0 || report.Entries != 1 {
		t.Errorf("%+v", report)
	}
}

// TestFiles_Fsck_Unreadable: one file that cannot be opened keeps no other from being compared, and is not deleted.
func TestFiles_Fsck_Unreadable(t *testing.T) {
	t.Parallel()
	b := setupFiles(t)
	bad, missing := b.upload(t, "ilegível", portal.NewFile{}).ID, b.upload(t, "sumiu", portal.NewFile{}).ID
	b.upload(t, "bom", portal.NewFile{})
	must(t, os.Remove(b.path(t, missing)))
	b.store.fail = func(operation, path string) error {
		if operation == "Open" && strings.HasSuffix(path, bad) {
			return os.ErrPermission
		}
		return nil
	}
	report := b.fsck(t, true)
	if diff := cmp.Diff([][]string{{bad}, {missing}, {}}, [][]string{found(report.Unreadable), found(report.Missing), found(report.Orphaned)}); diff != "" || report.Repaired != 1 || report.Files != 3 {
		t.Errorf("%+v: %s", report, diff)
	}
	// Where the store itself cannot be used, nothing is said of its files.
	must(t, os.Rename(b.root, b.root+".away"))
	defer func() { must(t, os.Rename(b.root+".away", b.root)) }()
	if report, err := b.files.Fsck(t.Context(), true, nil); err == nil || len(report.Missing)+len(report.Unreadable) != 0 {
		t.Errorf("%+v, %v", report, err)
	}
}

// TestFiles_Fsck_Back: a file whose bytes are back by the time of its repair is not deleted.
func TestFiles_Fsck_Back(t *testing.T) {
	t.Parallel()
	b := setupFiles(t)
	id := b.upload(t, "volta", portal.NewFile{}).ID
	path := b.path(t, id)
	must(t, os.Rename(path, path+".away"))
	report, err := b.files.Fsck(t.Context(), true, func(p portal.FsckProgress) {
		if p.Files == 1 && p.Entries == 0 {
			must(t, os.Rename(path+".away", path))
		}
	})
	if err != nil || len(report.Missing) != 1 || report.Repaired != 0 {
		t.Errorf("%+v, %v", report, err)
	}
	if file, err := b.files.Get(t.Context(), id); err != nil || file.DeletedAt != nil {
		t.Errorf("%+v, %v", file, err)
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestFiles_Fsck_Fails: a repair that dies between the row and the bytes leaves what the next one puts right.
func TestFiles_Fsck_Fails(t *testing.T) {
	t.Parallel()
	b := setupFiles(t)
	file := b.upload(t, "texto", portal.NewFile{})
	b.upload(t, "outro", portal.NewFile{})
	if err := os.Truncate(b.path(t, file.ID), 2); err != nil {
		t.Fatal(err)
	}
	b.store.fail = func(operation, _ string) error { return map[string]error{"SetAside": errNotThere}[operation] }
	if _, err := b.files.Fsck(t.Context(), true, nil); !errors.Is(err, errNotThere) {
		t.Errorf("%v", err)
	}
	b.sweep(t) // must not take the bytes
	b.store.fail = nil
	b.age(t)
	if report := b.fsck(t, true); len(report.Orphaned) != 1 || report.Repaired != 1 {
		t.Errorf("%+v", report)
	}
	if diff := cmp.Diff([]string{"outro", "te"}, b.bytes(t)); diff != "" {
		t.Error(diff)
	}
}

// TestFiles_Fsck_Many goes through more than a batch both ways.
func TestFiles_Fsck_Many(t *testing.T) {
	t.Parallel()
	b := setupFiles(t)
	day := filepath.Join(b.root, "2026/01/02")
	if err := os.MkdirAll(day, 0o755); err != nil {
		t.Fatal(err)
	}
	for i := range 2500 {
		if i%500 != 7 {
			if err := os.WriteFile(filepath.Join(day, fmt.Sprint("f", i)), []byte("x"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	b.exec(t, `INSERT INTO fileshare_items (id, filename, size, path, expires_at)
		SELECT 'f' || i, 'x', 1, $1::text || '/f' || i, now() + interval '1 day' FROM generate_series(0, 2499) i WHERE i % 500 <> 8`, day)
	b.age(t)
	report := b.fsck(t, false)
	if len(report.Missing) != 5 || len(report.Orphaned) != 5 || report.Files != 2495 || report.Entries != 2495 {
		t.Errorf("%d missing, %d orphaned, %d files, %d entries", len(report.Missing), len(report.Orphaned), report.Files, report.Entries)
	}
}
