package portal

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"portaldb/db"
	"portaldb/internal/blob"
)

const (
	expireBatch = 500
	purgeBatch  = 100
	removing    = 4 // at once
)

// SweepReport counts what Sweep has done.
type SweepReport struct {
	Expired int   // files that were past their time and are deleted now
	Removed int   // deleted files whose bytes are gone now
	Uploads int   // uploads that were taken for abandoned and have left nothing
	Outside int   // deleted files and uploads whose path lies in no store, or is not of this file: left where they are
	Failed  int   // files and uploads whose bytes could not be removed: the next sweep tries again
	Err     error // the first of these failures
}

// Sweep deletes the files that have expired, each with its audit event, removes the bytes of deleted files and of uploads that
// were abandoned, and forgets what is of no use any more. It may run on every replica at once: they share the work, and each
// file is removed by one of them. What one of them leaves when it dies, the others find after ten minutes.
//
// A file whose bytes cannot be removed does not keep the others from it. What a download has open goes on where the store is a
// folder; from S3 it may break off. What fsck has set aside stays for somebody to look at.
func (f *Files) Sweep(ctx context.Context) (SweepReport, error) {
	var report SweepReport
	for {
		n, err := f.primary.SoftDeleteExpiredFiles(ctx, expireBatch)
		report.Expired += int(n)
		if err != nil {
			return report, fmt.Errorf("delete expired files: %w", err)
		}
		if n < expireBatch {
			break
		}
	}
	for _, forget := range []func(context.Context) (int64, error){
		f.primary.DeleteOldAttempts,
		f.primary.DeleteOldDownloads,
		f.primary.DeleteOldLinks,
	} {
		if _, err := forget(ctx); err != nil {
			return report, fmt.Errorf("forget old attempts, downloads and links: %w", err)
		}
	}
	if err := f.Attach(ctx); err != nil {
		return report, err
	}
	if err := f.purge(ctx, &report); err != nil {
		return report, fmt.Errorf("remove the bytes of deleted files: %w", err)
	}
	if err := f.sweepUploads(ctx, &report); err != nil {
		return report, fmt.Errorf("remove what uploads left: %w", err)
	}
	return report, nil
}

// purge removes the bytes of deleted files.
func (f *Files) purge(ctx context.Context, report *SweepReport) error {
	var again []string // for the next sweep: this one has tried
	release := func(more ...string) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleWithin)
		defer cancel()
		if again = append(again, more...); len(again) > 0 {
			_, _ = f.primary.ReleasePurges(ctx, again) // or they wait for ten minutes
		}
	}
	for {
		claims, err := f.primary.ClaimPurges(ctx, purgeBatch)
		if err != nil {
			release()
			return err
		}
		paths := make(map[string]string, len(claims))
		for _, claim := range claims {
			paths[claim.ID] = claim.Path
		}
		removed := f.remove(ctx, paths, report)
		again = append(again, removed.failed...)
		if _, err := f.primary.ConfirmPurges(ctx, removed.gone); err != nil {
			release(removed.gone...)
			return err
		}
		report.Removed += len(removed.gone)
		if len(removed.outside) > 0 {
			report.Outside += len(removed.outside)
			if _, err := f.primary.PostponePurges(ctx, removed.outside); err != nil {
				release()
				return err
			}
		}
		if len(claims) < purgeBatch {
			release()
			return nil
		}
	}
}

// sweepUploads removes what abandoned uploads have left, each time until a day has passed: a process that was frozen may put
// its bytes in place meanwhile.
func (f *Files) sweepUploads(ctx context.Context, report *SweepReport) error {
	var again []string
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleWithin)
		defer cancel()
		if len(again) > 0 {
			_, _ = f.primary.ReleaseUploads(ctx, again)
		}
	}()
	for {
		claims, err := f.primary.ClaimAbandonedUploads(ctx, purgeBatch)
		if err != nil {
			return err
		}
		paths := make(map[string]string, len(claims))
		state := make(map[string]db.ClaimAbandonedUploadsRow, len(claims))
		for _, claim := range claims {
			paths[claim.FileID], state[claim.FileID] = claim.Path, claim
		}
		removed := f.remove(ctx, paths, report)
		again = append(again, removed.failed...)
		var forget []string
		for _, id := range slices.Concat(removed.gone, removed.outside) {
			if state[id].Newly {
				report.Uploads++
			}
			if state[id].Old {
				forget = append(forget, id)
			}
		}
		report.Outside += len(removed.outside)
		if len(forget) > 0 {
			if _, err := f.primary.DeleteUploads(ctx, forget); err != nil {
				return err
			}
		}
		if len(claims) < purgeBatch {
			return nil
		}
	}
}

// own tells whether a path is one that the file with this id may have: another file's bytes may be in use.
func own(id, p string) bool { return path.Base(p) == id }

// removed are ids by what became of their bytes.
type removed struct{ gone, outside, failed []string }

// remove removes the bytes at the paths, which it is given by id, and counts failures.
func (f *Files) remove(ctx context.Context, paths map[string]string, report *SweepReport) removed {
	var mu sync.Mutex
	var result removed
	var group errgroup.Group
	group.SetLimit(removing)
	for id, path := range paths {
		group.Go(func() error {
			err := blob.ErrOutside
			if own(id, path) {
				err = f.cfg.Store.Remove(ctx, path)
			}
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				result.gone = append(result.gone, id)
			case errors.Is(err, blob.ErrOutside):
				result.outside = append(result.outside, id)
			default:
				result.failed = append(result.failed, id)
				report.Failed++
				if report.Err == nil {
					report.Err = fmt.Errorf("file %s: %w", id, err)
				}
			}
			return nil
		})
	}
	_ = group.Wait() // failures are counted
	return result
}
