package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"

	"portaldb/internal/blob"
	"portaldb/internal/portal"
	"portaldb/internal/postgres"
	"portaldb/internal/schema"
)

// uploadRoots is what every command that reads the bytes of files takes.
type uploadRoots struct {
	UploadRoot    string `setting:"UPLOAD_ROOT" default:"/data/uploads" placeholder:"ROOT" help:"Where the bytes of files lie: a folder, or s3://bucket?endpoint=... (UPLOAD_ROOT)."`
	UploadOldRoot string `setting:"UPLOAD_OLD_ROOT" placeholder:"ROOT" help:"Where they lay before: read, never written to (UPLOAD_OLD_ROOT)."`
	ChunkSize     string `name:"upload-chunk-size" setting:"UPLOAD_CHUNK_SIZE" placeholder:"BYTES" help:"How many bytes are written at once (UPLOAD_CHUNK_SIZE)."`
}

// store opens the store that the settings name, wherever it is: whether it can be used is not looked at.
func (r uploadRoots) store(a *app) (*blob.Set, error) {
	chunk, err := sizeSetting("UPLOAD_CHUNK_SIZE", r.ChunkSize)
	if err != nil {
		return nil, err
	}
	set, err := blob.Open(blob.Config{Root: r.UploadRoot, OldRoot: r.UploadOldRoot, ChunkSize: int(chunk), Env: a.env})
	if err != nil {
		return nil, usageError{err.Error()}
	}
	return set, nil
}

// uploadRules is what every command that serves files takes.
type uploadRules struct {
	MaxSize       string `name:"upload-max-size" setting:"UPLOAD_MAX_SIZE" placeholder:"BYTES" help:"The largest file that is taken; 0, the default, for any (UPLOAD_MAX_SIZE)."`
	OldMaxSize    string `setting:"MAX_UPLOAD_SIZE" hidden:""`
	AllowedMIME   string `name:"allowed-mime-prefixes" setting:"ALLOWED_MIME_PREFIXES" placeholder:"LIST" help:"What the type of a file, as it is found, may begin with: image/,application/pdf (ALLOWED_MIME_PREFIXES)."`
	SessionSecret string `setting:"SESSION_SECRET" hidden:""`
	RehashSecrets string `name:"rehash-secrets" setting:"PORTALDB_REHASH_SECRETS" placeholder:"BOOL" help:"Whether to hash old secrets of files anew once they are given: the legacy code cannot read them then (PORTALDB_REHASH_SECRETS)."`
}

var mimePrefix = regexp.MustCompile(`^[a-z0-9][a-z0-9!#$&^_.+-]*(/[a-z0-9!#$&^_.+-]*)?$`)

// config reads the rules for files in the store.
func (r uploadRules) config(store blob.Store) (cfg portal.FilesConfig, err error) {
	cfg = portal.FilesConfig{Store: store, SessionSecret: r.SessionSecret}
	name := "UPLOAD_MAX_SIZE"
	if r.MaxSize == "" && r.OldMaxSize != "" {
		name = "MAX_UPLOAD_SIZE"
	}
	if cfg.MaxSize, err = sizeSetting(name, cmp.Or(r.MaxSize, r.OldMaxSize)); err != nil {
		return cfg, err
	}
	for prefix := range strings.SplitSeq(r.AllowedMIME, ",") {
		prefix = strings.ToLower(strings.TrimSpace(prefix))
		if prefix == "" {
			continue
		}
		if !mimePrefix.MatchString(prefix) {
			return cfg, usageError{"ALLOWED_MIME_PREFIXES takes beginnings of media types between commas, such as image/,application/pdf"}
		}
		cfg.AllowedMIME = append(cfg.AllowedMIME, prefix)
	}
	if r.RehashSecrets != "" {
		if cfg.RehashSecrets, err = strconv.ParseBool(r.RehashSecrets); err != nil {
			return cfg, usageError{"PORTALDB_REHASH_SECRETS takes true or false"}
		}
	}
	return cfg, nil
}

// sizeSetting reads a number of bytes, 0 if there is none.
func sizeSetting(name, text string) (int64, error) {
	if text == "" {
		return 0, nil
	}
	size, err := strconv.ParseInt(text, 10, 64)
	if err != nil || size < 0 {
		return 0, usageError{name + " takes a number of bytes, such as 1048576"}
	}
	return size, nil
}

type filesCommand struct {
	Sweep filesSweep `cmd:"" help:"Remove the bytes of what has expired, was deleted or never became a file."`
	Fsck  filesFsck  `cmd:"" help:"Compare the rows of files with their bytes, both ways."`
}

type filesSweep struct {
	database
	uploadRoots
}

// Help is the long help.
func (filesSweep) Help() string {
	return `serve does the same every ten minutes. It may run anywhere at the same time. What could not be removed is tried again by the next.

Examples:

    portaldb files sweep
    portaldb files sweep --json`
}

// Run sweeps once.
func (c filesSweep) Run(ctx context.Context, a *app) error {
	return c.withFiles(ctx, a, c.uploadRoots, func(files *portal.Files) error {
		report, failure := files.Sweep(ctx)
		view := map[string]any{
			"expired": report.Expired, "removed": report.Removed, "uploads": report.Uploads, "outside": report.Outside, "failed": report.Failed,
		}
		text := fmt.Sprintf("expired %d, removed %d, abandoned uploads %d, outside %d, failed %d\n",
			report.Expired, report.Removed, report.Uploads, report.Outside, report.Failed)
		if err := a.print(view, text); err != nil {
			return err
		}
		if failure != nil {
			return fmt.Errorf("%w; what is reported above is done, the next sweep goes on", failure)
		}
		if report.Failed > 0 {
			return fmt.Errorf("the bytes of %d could not be removed; the next sweep tries again: %w", report.Failed, report.Err)
		}
		return nil
	})
}

type filesFsck struct {
	database
	uploadRoots
	Repair bool `help:"Delete files whose bytes are missing or damaged, and set aside bytes that belong to no file."`
}

// Help is the long help.
func (filesFsck) Help() string {
	return `Reads the bytes of every file, and changes nothing without --repair, which removes no byte: what it takes out of the way lies in
the folder ` + blob.SetAside + ` of the store. Ends with 3 when it found something that is not repaired, and with 4 when a root is
not the one that the database knows, as if it were not mounted, or when it will not repair because every file is missing.

Examples:

    portaldb files fsck
    portaldb files fsck --repair --json`
}

// Run compares.
func (c filesFsck) Run(ctx context.Context, a *app) error {
	return c.withFiles(ctx, a, c.uploadRoots, func(files *portal.Files) error {
		report, failure := files.Fsck(ctx, c.Repair, a.fsckProgress())
		view := map[string]any{
			"missing": viewFindings(report.Missing), "orphaned": viewFindings(report.Orphaned), "damaged": viewFindings(report.Damaged),
			"outside": viewFindings(report.Outside), "unreadable": viewFindings(report.Unreadable),
			"repaired": report.Repaired, "files": report.Files, "bytes": report.Bytes, "entries": report.Entries,
		}
		if err := a.print(view, fsckText(report)); err != nil {
			return err
		}
		if portal.ErrorCode(failure) == portal.CodeConflict || errors.Is(failure, blob.ErrOtherStore) {
			return &schema.RefusedError{Reason: failure.Error()}
		}
		if failure != nil {
			return fmt.Errorf("%w; what is reported above is not all: run it again", failure)
		}
		if found := len(report.Missing) + len(report.Orphaned) + len(report.Damaged) + len(report.Outside) + len(report.Unreadable); found > report.Repaired {
			return errNo
		}
		return nil
	})
}

// viewFindings are findings as programs read them.
func viewFindings(findings []portal.FsckFinding) []map[string]any {
	views := make([]map[string]any, len(findings))
	for i, f := range findings {
		views[i] = map[string]any{"id": f.ID, "path": f.Path, "size": f.Size, "detail": f.Detail}
	}
	return views
}

func fsckText(report portal.FsckReport) string {
	var text strings.Builder
	for _, kind := range []struct {
		name     string
		findings []portal.FsckFinding
	}{{"missing", report.Missing}, {"orphaned", report.Orphaned}, {"damaged", report.Damaged}, {"outside", report.Outside}, {"unreadable", report.Unreadable}} {
		for _, f := range kind.findings {
			path := f.Path
			if strings.ContainsFunc(path, func(r rune) bool { return !unicode.IsPrint(r) }) {
				path = strconv.Quote(path) // the legacy code may have written anything
			}
			fmt.Fprintf(&text, "%-10s  %s  %s\n", kind.name, path, f.Detail)
		}
	}
	fmt.Fprintf(&text, "%d files, %d bytes read; missing %d, orphaned %d, damaged %d, outside %d, unreadable %d, repaired %d\n",
		report.Files, report.Bytes, len(report.Missing), len(report.Orphaned), len(report.Damaged), len(report.Outside), len(report.Unreadable), report.Repaired)
	return text.String()
}

// progressEvery is how often long work tells how far it has come.
const progressEvery = 5 * time.Second

// fsckProgress tells on stderr how far a long comparison has come.
func (a *app) fsckProgress() func(portal.FsckProgress) {
	told := time.Now()
	return func(p portal.FsckProgress) {
		if time.Since(told) < progressEvery {
			return
		}
		told = time.Now()
		a.logf("compared %d of about %d files, %d MiB; looked up %d that the store has", p.Files, p.Of, p.Bytes>>20, p.Entries)
	}
}

// withFiles opens the database and the store for one operation.
func (d database) withFiles(ctx context.Context, a *app, roots uploadRoots, operate func(*portal.Files) error) error {
	url, err := d.url()
	if err != nil {
		return err
	}
	store, err := roots.store(a)
	if err != nil {
		return err
	}
	db, err := postgres.Open(ctx, postgres.Config{URL: url, ApplicationName: "portaldb files"})
	if err != nil {
		return err
	}
	defer db.Close()
	if err := store.Check(ctx); err != nil {
		return fmt.Errorf("%w; nothing changed", err)
	}
	err = operate(portal.NewFiles(db.Primary(), db.Reads(), portal.FilesConfig{Store: store}))
	if isUndefinedTable(err) {
		return errors.New("the database lacks the tables for files: run portaldb up first; nothing changed")
	}
	return err
}

// sweepEvery is how often serve sweeps, give or take a fifth, so that replicas do not do it together.
const sweepEvery = 10 * time.Minute

// sweep sweeps again and again until ctx is done. What fails is tried again by the next one.
func sweep(ctx context.Context, files *portal.Files, store blob.Store, logger *slog.Logger) {
	if err := store.Check(ctx); err != nil && ctx.Err() == nil {
		logger.WarnContext(ctx, "files cannot be stored", "error", err)
	}
	for {
		report, err := files.Sweep(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			logger.WarnContext(ctx, "sweep files", "error", err)
		case report.Failed+report.Outside > 0:
			logger.WarnContext(ctx, "sweep files", "expired", report.Expired, "removed", report.Removed, "uploads", report.Uploads,
				"outside", report.Outside, "failed", report.Failed, "error", report.Err)
		case report.Expired+report.Removed+report.Uploads > 0:
			logger.InfoContext(ctx, "swept files", "expired", report.Expired, "removed", report.Removed, "uploads", report.Uploads)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(sweepEvery*4/5 + rand.N(sweepEvery*2/5)):
		}
	}
}
