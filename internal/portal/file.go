package portal

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"sync/atomic"
	"time"

	"portaldb/db"
	"portaldb/internal/blob"
)

// Files carries out what the portal does with temporary files: their rows are in the database, their bytes in a store. Its
// methods may be called at the same time, also by many processes.
type Files struct {
	cfg       FilesConfig
	primary   *db.Queries
	reads     *db.Queries
	reader    Reader
	secrets   secrets
	heartbeat time.Duration // of an upload
	now       func() time.Time
	attached  atomic.Bool
}

// FilesConfig says where the bytes of files lie and what files may be.
type FilesConfig struct {
	Store         blob.Store
	MaxSize       int64    // of a file in bytes; 0 means no limit
	AllowedMIME   []string // what the sniffed type may begin with; empty allows all
	SessionSecret string   // under which the legacy code signed links; empty refuses them
	RehashSecrets bool     // the legacy code reads secrets no more, so that those of its making may be hashed anew
}

// NewFiles returns a Files that writes and reads single rows through primary, and lists through reads, which may be a
// replica. Both have to return errors of type Error.
func NewFiles(primary Primary, reads Reader, cfg FilesConfig) *Files {
	return &Files{
		cfg:       cfg,
		primary:   db.New(primary),
		reads:     db.New(reads),
		reader:    reads,
		secrets:   newSecrets(),
		heartbeat: time.Minute,
		now:       time.Now,
	}
}

// File is a file that is shared for some days. Where its bytes lie and what opens it stay inside.
type File struct {
	ID           string
	Filename     string // as the uploader named it, any Unicode
	Size         int64  // in bytes
	ContentType  *string
	OwnerID      *string // CPF
	OwnerName    *string
	CreatedAt    time.Time
	ExpiresAt    time.Time
	Protected    bool // a secret opens it
	Downloads    int32
	MaxDownloads *int32 // nil: any number
	DeletedAt    *time.Time
	SHA256       []byte // nil where the legacy code has stored it
}

func newFile(row db.FileshareItem) File {
	return File{
		ID:           row.ID,
		Filename:     row.Filename,
		Size:         row.Size,
		ContentType:  row.ContentType,
		OwnerID:      row.OwnerID,
		OwnerName:    row.OwnerName,
		CreatedAt:    row.CreatedAt,
		ExpiresAt:    row.ExpiresAt,
		Protected:    row.SecretHash != nil,
		Downloads:    row.Downloads,
		MaxDownloads: row.MaxDownloads,
		DeletedAt:    row.DeletedAt,
		SHA256:       row.Sha256,
	}
}

// Why a file, or the link to it, is of no use. The first two are of CodeNotFound, the others of CodeGone.
var (
	ErrNoFile      = &Error{Code: CodeNotFound, Message: "there is no file with this id"}
	ErrNoLink      = &Error{Code: CodeNotFound, Message: "there is no such link"}
	ErrFileExpired = &Error{Code: CodeGone, Message: "the file has expired"}
	ErrFileDeleted = &Error{Code: CodeGone, Message: "the file is deleted"}
	ErrFileUsedUp  = &Error{Code: CodeGone, Message: "the file has been downloaded as often as it may be"}
	ErrLinkExpired = &Error{Code: CodeGone, Message: "the link has expired"}
	ErrLinkRevoked = &Error{Code: CodeGone, Message: "the link is revoked"}
)

// newFileID returns a new id in the form that the legacy code gives: 14 characters for 80 bits.
func newFileID() string {
	random := make([]byte, 10)
	rand.Read(random) // never fails
	return base64.RawURLEncoding.EncodeToString(random)
}

// Get returns a file, also one that has expired or is deleted. ErrNoFile if there is none with that id.
func (f *Files) Get(ctx context.Context, id string) (File, error) {
	row, err := f.get(ctx, id)
	return newFile(row.FileshareItem), err
}

func (f *Files) get(ctx context.Context, id string) (db.GetFileRow, error) {
	row, err := f.primary.GetFile(ctx, id)
	if ErrorCode(err) == CodeNotFound {
		err = ErrNoFile
	}
	return row, err
}

// usable says why a file cannot be used, if it cannot be.
func usable(row db.GetFileRow) error {
	switch {
	case row.FileshareItem.DeletedAt != nil && row.Expired:
		return ErrFileExpired // which is why the sweeper deleted it, most likely
	case row.FileshareItem.DeletedAt != nil:
		return ErrFileDeleted
	case row.Expired:
		return ErrFileExpired
	}
	return nil
}

// FileFilter selects files. Fields that are nil select all; those that are not have to hold together.
type FileFilter struct {
	OwnerID *string `json:"owner_id,omitempty"`
	Q       *string `json:"q,omitempty"` // part of filename or owner_name, whatever the case
	Expired *bool   `json:"expired,omitempty"`
	Deleted *bool   `json:"deleted,omitempty"`
}

func (f *FileFilter) normalize() error { return checkSearch(f.Q, nil, nil) }

// List returns the newest files first, in pages as those of ListSubmissions; without a filter those that have expired or are
// deleted too.
func (f *Files) List(ctx context.Context, filter FileFilter, page PageRequest) (Page[File], error) {
	start, err := resume("files", filter, page)
	if err != nil {
		return Page[File]{}, err
	}

	rows, err := listFiles(ctx, f.reads, start)
	if err != nil {
		return Page[File]{}, err
	}

	result := pageOf(start, rows, func(row db.FileshareItem) (time.Time, string) { return row.CreatedAt, row.ID }, newFile)
	result.Total, err = total(ctx, f.reader, page.Count, func(q *db.Queries) error {
		_, err := listFiles(ctx, q, start.whole())
		return err
	})
	return result, err
}

// listFiles runs the statement that suits the filter.
func listFiles(ctx context.Context, q *db.Queries, start start[FileFilter]) ([]db.FileshareItem, error) {
	params := db.ListFilesParams{
		OwnerID:   start.filter.OwnerID,
		Expired:   start.filter.Expired,
		Deleted:   start.filter.Deleted,
		QPattern:  containing(start.filter.Q),
		RowLimit:  start.fetch(),
		RowOffset: int64(start.offset),
	}
	if start.before != nil {
		at := start.before.at()
		params.BeforeAt, params.BeforeID = &at, &start.before.ID
	}
	// Those that are not deleted have an index in the order of the list.
	if params.Expired == nil || *params.Expired || params.Deleted != nil && !*params.Deleted {
		return q.ListFiles(ctx, params)
	}
	rows, err := q.ListUnexpiredFiles(ctx, db.ListUnexpiredFilesParams{
		OwnerID:   params.OwnerID,
		Deleted:   params.Deleted,
		BeforeAt:  params.BeforeAt,
		BeforeID:  params.BeforeID,
		QPattern:  params.QPattern,
		RowLimit:  params.RowLimit,
		RowOffset: params.RowOffset,
	})
	files := make([]db.FileshareItem, len(rows))
	for i, row := range rows {
		files[i] = db.FileshareItem(row)
	}
	return files, err
}

// Delete deletes a file, with an audit event that names the API token of that name. Nobody gets it from then on, and the
// sweeper removes its bytes. ErrNoFile, ErrFileDeleted.
func (f *Files) Delete(ctx context.Context, token, id string) error {
	n, err := f.primary.SoftDeleteFile(ctx, db.SoftDeleteFileParams{ID: id, Token: token})
	if err != nil || n > 0 {
		return err
	}
	if _, err := f.get(ctx, id); err != nil {
		return err
	}
	return ErrFileDeleted
}
