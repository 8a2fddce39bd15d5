package portal_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"

	"portaldb/internal/portal"
)

func TestFiles_Sweep(t *testing.T) {
	t.Parallel()
	b := setupFiles(t)
	lasts, expired, deleted := b.upload(t, "fica", portal.NewFile{}), b.upload(t, "venceu", portal.NewFile{OwnerID: ptr("00000000001")}), b.upload(t, "apagado", portal.NewFile{})
	b.legacy(t, "legacy-AAAAAAA", "antigo")
	b.legacy(t, "legacy-BBBBBBB", "antigo")
	if err := os.Remove(b.legacy(t, "legacy-CCCCCCC", "antigo")); err != nil { // as the legacy code deletes
		t.Fatal(err)
	}
	b.exec(t, "UPDATE fileshare_items SET deleted_at = now() WHERE id IN ('legacy-BBBBBBB', 'legacy-CCCCCCC')")
	b.exec(t, "UPDATE fileshare_items SET expires_at = now() WHERE id = $1", expired.ID)
	if err := b.files.Delete(t.Context(), "bff", deleted.ID); err != nil {
		t.Fatal(err)
	}
	for _, want := range []portal.SweepReport{{Expired: 1, Removed: 4}, {}} {
		if report := b.sweep(t); report != want {
			t.Errorf("%+v, want %+v", report, want)
		}
	}
	if diff := cmp.Diff(map[string]bool{lasts.ID: true, "legacy-AAAAAAA": true}, set(b.stored(t))); diff != "" {
		t.Errorf("stored: %s", diff)
	}
	if got := b.events(t, expired.ID)[1]; got != `fileshare expired {"size": 6, "owner": "00000000001", "filename": "relatório.txt"}` {
		t.Error(got)
	}
	if n := value[int](t, b.bundle, "SELECT (SELECT count(*) FROM fileshare_items WHERE deleted_at IS NOT NULL AND purged_at IS NULL) + (SELECT count(*) FROM service.file_purges)"); n != 0 {
		t.Errorf("%d removals not confirmed", n)
	}
}

func set(names []string) map[string]bool {
	set := map[string]bool{}
	for _, name := range names {
		set[name] = true
	}
	return set
}

// TestFiles_Sweep_Race has four sweepers, each on a replica of its own, at the same files while others are downloaded and deleted.
func TestFiles_Sweep_Race(t *testing.T) {
	t.Parallel()
	b := setupFiles(t)
	files := 250
	if !testing.Short() {
		files = 2000
	}
	for i := range files {
		b.legacy(t, fmt.Sprintf("file-%09d", i), "antigo")
	}
	b.exec(t, `UPDATE fileshare_items SET expires_at = now() WHERE id < 'file-000000150';
		UPDATE fileshare_items SET deleted_at = now() WHERE id >= 'file-000000150' AND id < 'file-000000200'`)
	kept := b.stored(t)[200:]
	var mu sync.Mutex
	var sum portal.SweepReport
	var group errgroup.Group
	for range 4 {
		sweeper := b.replica()
		group.Go(func() error {
			for range 3 {
				report, err := sweeper.Sweep(t.Context())
				mu.Lock()
				sum.Expired, sum.Removed, sum.Failed = sum.Expired+report.Expired, sum.Removed+report.Removed, sum.Failed+report.Failed
				mu.Unlock()
				if err != nil {
					return err
				}
			}
			return nil
		})
	}
	group.Go(func() error {
		for _, id := range kept {
			d, err := b.files.Open(t.Context(), id, portal.Access{})
			if err != nil {
				return err
			}
			if err := errors.Join(d.Start(t.Context(), 0), d.Close()); err != nil {
				return err
			}
		}
		return nil
	})
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	if want := (portal.SweepReport{Expired: 150, Removed: 200}); sum != want {
		t.Errorf("all together %+v, want %+v", sum, want)
	}
	for path, n := range b.store.removed {
		if n != 1 {
			t.Errorf("%s was removed %d times", path, n)
		}
	}
	if len(b.store.removed) != 200 {
		t.Errorf("%d files removed, want 200", len(b.store.removed))
	}
	if n := value[int](t, b.bundle, "SELECT count(*) FROM automation_audits WHERE action = 'expired'"); n != 150 {
		t.Errorf("%d events of expiry, want 150", n)
	}
	if diff := cmp.Diff(kept, b.stored(t)); diff != "" {
		t.Error(diff)
	}
}

// TestFiles_Sweep_Failures: one file that cannot be removed keeps no other from it, and is tried again.
func TestFiles_Sweep_Failures(t *testing.T) {
	t.Parallel()
	b := setupFiles(t)
	for i := range 250 {
		b.legacy(t, fmt.Sprintf("file-%09d", i), "antigo")
	}
	b.exec(t, "UPDATE fileshare_items SET expires_at = now()")
	b.exec(t, "INSERT INTO service.file_uploads (file_id, path, alive_at) VALUES ('dead', $1, now() - interval '1 hour')", b.root+"/2026/01/02/dead")
	b.store.fail = func(operation, path string) error {
		if operation == "Remove" && (strings.HasSuffix(path, "000") || strings.HasSuffix(path, "dead")) {
			return errNotThere
		}
		return nil
	}
	report := b.sweep(t)
	if report.Removed != 249 || report.Failed != 2 || report.Uploads != 0 || !errors.Is(report.Err, errNotThere) {
		t.Errorf("%+v", report)
	}
	b.store.fail = nil
	if report := b.sweep(t); report != (portal.SweepReport{Removed: 1}) {
		t.Errorf("%+v", report)
	}
	if names := b.stored(t); len(names) != 0 {
		t.Errorf("left: %q", names)
	}
}

// TestFiles_Sweep_Dies leaves a sweep at every statement. What it had claimed the others find ten minutes later.
func TestFiles_Sweep_Dies(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"SoftDeleteExpiredFiles", "ClaimPurges", "ConfirmPurges", "ClaimAbandonedUploads", "DeleteOldLinks"} {
		for _, lost := range []bool{false, true} {
			t.Run(fmt.Sprint(name, ", answer lost: ", lost), func(t *testing.T) {
				t.Parallel()
				b := setupFiles(t)
				b.legacy(t, "a", "antigo")
				b.legacy(t, "b", "antigo")
				b.exec(t, "UPDATE fileshare_items SET expires_at = now() WHERE id = 'a'")
				died := false
				die := func(statement string) error {
					if died = died || statement == name; died {
						return errLost
					}
					return nil
				}
				if b.database.before = die; lost {
					b.database.before = nil
					b.database.after = die
				}
				if _, err := b.files.Sweep(t.Context()); err == nil && (!lost || name != "ClaimPurges" && name != "ClaimAbandonedUploads") {
					t.Error("no error") // of statements that return rows the answer is not lost here
				}
				b.database.before, b.database.after = nil, nil
				b.exec(t, "UPDATE service.file_purges SET claimed_at = now() - interval '11 minutes'")
				b.sweep(t)
				if diff := cmp.Diff([]string{"b"}, b.stored(t)); diff != "" {
					t.Error(diff)
				}
				if got := value[string](t, b.bundle, `SELECT concat_ws(' ', (SELECT count(*) FROM fileshare_items WHERE purged_at IS NOT NULL), (SELECT count(*) FROM service.file_purges),
					(SELECT count(*) FROM automation_audits WHERE action = 'expired'))`); got != "1 0 1" {
					t.Errorf("purged, claims, events: %s, want 1 0 1", got)
				}
			})
		}
	}
}

// TestFiles_Sweep_Cancelled: a sweep that is told to stop gives back what it has claimed.
func TestFiles_Sweep_Cancelled(t *testing.T) {
	t.Parallel()
	b := setupFiles(t)
	b.legacy(t, "a", "antigo")
	b.exec(t, "UPDATE fileshare_items SET expires_at = now()")
	ctx, cancel := context.WithCancel(t.Context())
	b.store.fail = func(operation, _ string) error {
		cancel()
		return ctx.Err()
	}
	if _, err := b.files.Sweep(ctx); err == nil {
		t.Error("no error")
	}
	b.store.fail = nil
	if report := b.sweep(t); report.Removed != 1 {
		t.Errorf("%+v", report)
	}
}
