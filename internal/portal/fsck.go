package portal

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"time"

	"portaldb/db"
	"portaldb/internal/blob"
)

const (
	fsckBatch = 1000
	// orphanAfter is how old bytes without a row have to be: the legacy code stores them before it adds the row.
	orphanAfter = time.Hour
	// suspicious is how many files may be missing when none is there: with more, they have not just been lost.
	suspicious = 10
)

// FsckFinding is one disagreement of the rows with the bytes.
type FsckFinding struct {
	ID     string // of the file; what its path ends with if there is no file
	Path   string
	Size   int64  // of the bytes; 0 if there are none
	Detail string // what is wrong
}

// FsckReport is what Fsck has found.
type FsckReport struct {
	Missing    []FsckFinding // files without their bytes
	Orphaned   []FsckFinding // bytes without a file
	Damaged    []FsckFinding // files whose bytes are not those that were stored
	Outside    []FsckFinding // files whose path lies in no store, or leaves it: not repaired
	Unreadable []FsckFinding // files whose bytes could not be read to their end: not repaired
	Repaired   int           // of the findings
	Files      int64         // how many files were looked at
	Bytes      int64         // how many bytes of them were read
	Entries    int64         // how many files the store has
}

// FsckProgress is how far Fsck has come.
type FsckProgress struct {
	Files   int64 // whose bytes have been compared
	Of      int64 // how many there were at the beginning
	Bytes   int64 // read of them
	Entries int64 // of the store that have been looked up
}

// Fsck compares the files that have not expired and are not deleted with the bytes in the store, both ways: it reads all
// bytes, looks up every entry of the store, and has the memory of a batch besides its findings. Uploads that are under way,
// deleted files, whose bytes are the sweeper's, and bytes without a row that are younger than an hour are no findings.
//
// With repair a file that is missing or damaged is deleted, with its audit event, and damaged or orphaned bytes are set aside in
// the store, with an audit event of those that have no file. No bytes are removed. CodeConflict, and nothing repaired, if
// many files are missing, and none is there. CodeUnavailable, and nothing compared, if the store is not the one that it should be.
//
// progress, unless nil, is called often: after each batch, each file and each piece of one that is read.
func (f *Files) Fsck(ctx context.Context, repair bool, progress func(FsckProgress)) (FsckReport, error) {
	k := &fsck{Files: f, progress: progress}
	if err := f.Attach(ctx); err != nil {
		return k.report, err
	}
	of, err := f.primary.CountStoredFiles(ctx)
	if err != nil {
		return k.report, fmt.Errorf("count files: %w", err)
	}
	k.of = of
	if err := k.compareFiles(ctx); err != nil {
		return k.report, fmt.Errorf("compare files with their bytes: %w", err)
	}
	if err := k.lookUpEntries(ctx); err != nil {
		return k.report, fmt.Errorf("look up what the store has: %w", err)
	}
	if !repair {
		return k.report, nil
	}
	if missing := len(k.report.Missing); missing >= suspicious && int64(missing+len(k.report.Outside)) == k.report.Files {
		return k.report, &Error{Code: CodeConflict, Message: fmt.Sprintf("all %d files are missing: see whether their bytes are elsewhere, or about to be restored", missing)}
	}
	if err := k.repair(ctx); err != nil {
		return k.report, fmt.Errorf("repair: %w", err)
	}
	return k.report, nil
}

// fsck is one run of Fsck.
type fsck struct {
	*Files
	of       int64
	report   FsckReport
	progress func(FsckProgress)
}

func (k *fsck) tell() {
	if k.progress != nil {
		k.progress(FsckProgress{Files: k.report.Files, Of: k.of, Bytes: k.report.Bytes, Entries: k.report.Entries})
	}
}

// compareFiles goes from the rows to the bytes.
func (k *fsck) compareFiles(ctx context.Context) error {
	buffer := make([]byte, 256<<10)
	after := ""
	for {
		rows, err := k.primary.ListStoredFiles(ctx, db.ListStoredFilesParams{AfterID: after, RowLimit: fsckBatch})
		if err != nil {
			return err
		}
		for _, row := range rows {
			if err := k.compare(ctx, row, buffer); err != nil {
				return err
			}
			k.report.Files++
			k.tell()
		}
		if len(rows) < fsckBatch {
			return nil
		}
		after = rows[len(rows)-1].ID
	}
}

// compare looks at the bytes of one file. A store that cannot be used at all is an error, not a finding.
func (k *fsck) compare(ctx context.Context, row db.ListStoredFilesRow, buffer []byte) error {
	finding := FsckFinding{ID: row.ID, Path: row.Path}
	content, info, err := k.cfg.Store.Open(ctx, row.Path)
	switch {
	case errors.Is(err, blob.ErrOutside):
		finding.Detail = "the path lies in no store that is configured, or leaves it"
		k.report.Outside = append(k.report.Outside, finding)
		return nil
	case errors.Is(err, fs.ErrNotExist):
		current, err := k.get(ctx, row.ID)
		if err == nil && usable(current) == nil && current.FileshareItem.Path == row.Path {
			finding.Detail = fmt.Sprintf("there are no bytes; there should be %d", row.Size)
			k.report.Missing = append(k.report.Missing, finding)
		}
		if ErrorCode(err) == CodeNotFound {
			return nil
		}
		return err
	case err != nil:
		if err := cmp.Or(ctx.Err(), k.Attach(ctx)); err != nil {
			return err
		}
		finding.Detail = "the bytes cannot be opened: " + err.Error()
		k.report.Unreadable = append(k.report.Unreadable, finding)
		return nil
	}
	defer func() { content.Close() }()
	finding.Size = info.Size
	if info.Size != row.Size {
		finding.Detail = fmt.Sprintf("there are %d bytes; there should be %d", info.Size, row.Size)
		k.report.Damaged = append(k.report.Damaged, finding)
		return nil
	}
	if row.Sha256 == nil {
		return nil // of the legacy code, which takes no hash
	}
	hash := sha256.New()
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := content.Read(buffer)
		hash.Write(buffer[:n])
		k.report.Bytes += int64(n)
		k.tell()
		if err == io.EOF { //nolint:errorlint // a reader ends with io.EOF itself
			break
		}
		if err != nil {
			finding.Detail = "the bytes cannot be read: " + err.Error()
			k.report.Unreadable = append(k.report.Unreadable, finding)
			return ctx.Err()
		}
	}
	if !bytes.Equal(hash.Sum(nil), row.Sha256) {
		finding.Detail = "the SHA-256 of the bytes is not the one that was stored"
		k.report.Damaged = append(k.report.Damaged, finding)
	}
	return nil
}

// lookUpEntries goes from the bytes to the rows.
func (k *fsck) lookUpEntries(ctx context.Context) error {
	batch := make([]blob.Entry, 0, fsckBatch)
	for entry, err := range k.cfg.Store.All(ctx) {
		if err != nil {
			return err
		}
		if batch = append(batch, entry); len(batch) == fsckBatch {
			if err := k.lookUp(ctx, batch); err != nil {
				return err
			}
			batch = batch[:0]
		}
	}
	return k.lookUp(ctx, batch)
}

func (k *fsck) lookUp(ctx context.Context, entries []blob.Entry) error {
	paths := make([]string, len(entries))
	for i, entry := range entries {
		paths[i] = entry.Path
	}
	known, err := k.known(ctx, paths)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if known[entry.Path] || k.now().Sub(entry.ModTime) < orphanAfter {
			continue
		}
		finding := FsckFinding{ID: path.Base(entry.Path), Path: entry.Path, Size: entry.Size, Detail: "no file has these bytes"}
		if entry.Unfinished {
			finding.Detail = "these bytes are unfinished, and no upload is under way"
		}
		k.report.Orphaned = append(k.report.Orphaned, finding)
	}
	k.report.Entries += int64(len(entries))
	k.tell()
	return nil
}

// known tells which of the paths of a store have bytes of a file or of an upload. A row whose path lies in no store vouches
// for every path with its id: the legacy code may know the same folder by another path.
func (k *fsck) known(ctx context.Context, paths []string) (map[string]bool, error) {
	ids := make([]string, len(paths))
	for i, p := range paths {
		ids[i] = path.Base(p)
	}
	rows, err := k.primary.ListKnownPaths(ctx, ids)
	if err != nil {
		return nil, err
	}
	known, elsewhere := make(map[string]bool, len(rows)), map[string]bool{}
	for _, row := range rows {
		known[row.Path] = true
		elsewhere[row.ID] = elsewhere[row.ID] || !k.cfg.Store.Owns(row.Path)
	}
	for i, p := range paths {
		known[p] = known[p] || elsewhere[ids[i]]
	}
	return known, nil
}

// repair deletes rows first: from then on nobody is served, and bytes that are not set aside because it dies here are orphans,
// which the next run finds.
func (k *fsck) repair(ctx context.Context) error {
	for _, finding := range k.report.Missing {
		if content, _, err := k.cfg.Store.Open(ctx, finding.Path); err == nil {
			content.Close()
			continue // they were put back since
		} else if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		n, err := k.primary.SoftDeleteBrokenFile(ctx, db.SoftDeleteBrokenFileParams{ID: finding.ID, Path: finding.Path, Found: "missing"})
		if err != nil {
			return err
		}
		k.report.Repaired += int(n)
	}
	for _, finding := range k.report.Damaged {
		n, err := k.primary.SoftDeleteBrokenFile(ctx, db.SoftDeleteBrokenFileParams{ID: finding.ID, Path: finding.Path, Found: "damaged"})
		if err != nil {
			return err
		}
		if n == 0 {
			continue // deleted meanwhile: its bytes are the sweeper's
		}
		if err := k.cfg.Store.SetAside(ctx, finding.Path); err != nil {
			return err
		}
		k.report.Repaired++
	}
	for _, finding := range k.report.Orphaned {
		known, err := k.known(ctx, []string{finding.Path})
		if err != nil {
			return err
		}
		if known[finding.Path] {
			continue // it has got a row since
		}
		if err := k.cfg.Store.SetAside(ctx, finding.Path); err != nil {
			return err
		}
		meta, err := json.Marshal(map[string]any{"target_id": finding.ID, "size": finding.Size, "owner": nil, "found": "orphaned"})
		if err != nil {
			return err
		}
		if err := k.primary.CreateAudit(ctx, db.CreateAuditParams{Kind: "fileshare", Action: "repaired", Meta: meta}); err != nil {
			return err
		}
		k.report.Repaired++
	}
	return nil
}
