package portal

import (
	"context"
	"io"
	"time"

	"github.com/google/uuid"

	"portaldb/internal/blob"
)

// Files carries out what the portal does with temporary files. Its methods may be called at the same time.
type Files struct {
	cfg FilesConfig
}

// FilesConfig says where the bytes of files lie and what files may be.
type FilesConfig struct {
	Store         blob.Store
	MaxSize       int64    // of a file in bytes; 0 means no limit
	AllowedMIME   []string // what the sniffed type may begin with; empty allows all
	SessionSecret string   // under which the legacy code signed links; empty refuses them
	RehashSecrets bool     // the legacy code reads secrets no more, so that old ones may be hashed anew
}

// NewFiles returns a Files that writes and reads single rows through primary, and lists through reads.
func NewFiles(primary Primary, reads Reader, cfg FilesConfig) *Files { return &Files{cfg: cfg} }

// File is a file that is shared for some days.
type File struct {
	ID           string // 14 characters that need no escaping in a URL
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

// FileFilter selects files. Fields that are nil select all; those that are not have to hold together.
type FileFilter struct {
	OwnerID *string `json:"owner_id,omitempty"`
	Q       *string `json:"q,omitempty"` // part of filename or owner_name, whatever the case
	Expired *bool   `json:"expired,omitempty"`
	Deleted *bool   `json:"deleted,omitempty"`
}

// NewFile is what a file is besides its bytes.
type NewFile struct {
	OwnerID      *string
	OwnerName    *string
	TTL          string // 1d, 7d, which is the default, or 30d
	Secret       string // opens the file; empty: none is needed
	MaxDownloads *int32
}

// Upload is a file whose bytes are stored, and that is no file yet.
type Upload struct{}

// Upload stores the bytes of a file. They are gone again unless Create makes a file of them: Discard has to be called when it
// does not. CodeTooLarge as soon as there are too many, CodeUnsupported if their type is not allowed.
func (f *Files) Upload(ctx context.Context, filename string, r io.Reader) (*Upload, error) {
	return nil, errUnwritten
}

// Discard removes the bytes unless they have become a file. It may be called after Create, whatever that returned.
func (u *Upload) Discard() {}

// Create makes a file of an upload, with its audit event.
func (f *Files) Create(ctx context.Context, token string, u *Upload, n NewFile) (File, error) {
	return File{}, errUnwritten
}

// Get returns a file, also one that has expired or is deleted. CodeNotFound if there is none with that id.
func (f *Files) Get(ctx context.Context, id string) (File, error) { return File{}, errUnwritten }

// List returns the newest files first.
func (f *Files) List(ctx context.Context, filter FileFilter, page PageRequest) (Page[File], error) {
	return Page[File]{}, errUnwritten
}

// Delete deletes a file, with its audit event; the sweeper removes its bytes. CodeNotFound, CodeGone if it is deleted already.
func (f *Files) Delete(ctx context.Context, token, id string) error { return errUnwritten }

// Access is who wants to read a file.
type Access struct {
	Secret  *string // nil: none was given
	Address string  // of who asks, an IP address without a port
	Token   string  // the name of the API token; empty for a link
}

// Errors that say what a protected file lacks. Both are of CodeForbidden.
var (
	ErrSecretRequired = &Error{Code: CodeForbidden, Message: "this file is protected: give its secret"}
	ErrSecretWrong    = &Error{Code: CodeForbidden, Message: "this is not the secret of the file"}
)

// Download is a file that is open for reading. Start has to succeed before its first byte is sent.
type Download struct {
	File    File
	Content io.ReadSeekCloser // an *os.File where the store is a folder
	ModTime time.Time
	ETag    string // strong, with its quotes
}

// Open opens a file for an API token. CodeNotFound, CodeGone, ErrSecretRequired, ErrSecretWrong, CodeTooMany.
func (f *Files) Open(ctx context.Context, id string, a Access) (*Download, error) {
	return nil, errUnwritten
}

// OpenLink opens the file of a link, one of the legacy code too.
func (f *Files) OpenLink(ctx context.Context, linkToken string, a Access) (*Download, error) {
	return nil, errUnwritten
}

// Start counts the download. continued says that it goes on with one that has been started before. CodeGone if the file may
// not be downloaded any more.
func (d *Download) Start(ctx context.Context, continued bool) error { return errUnwritten }

// Close closes Content.
func (d *Download) Close() error { return d.Content.Close() }

// Link opens one file without an API token and without the secret.
type Link struct {
	ID        uuid.UUID
	FileID    string
	CreatedAt time.Time
	ExpiresAt time.Time
	CreatedBy string // the name of the API token
	ActorCPF  *string
	RevokedAt *time.Time
}

// NewLink is a link to make.
type NewLink struct {
	Expires  string  // 1d, 7d, which is the default, or 30d; the link ends with the file at the latest
	Secret   *string // of a protected file
	ActorCPF *string // who wants it: the owner, if the file is protected
	Address  string  // of who asks
}

// CreateLink makes a link and returns its token, which cannot be had again.
func (f *Files) CreateLink(ctx context.Context, token Token, fileID string, n NewLink) (Link, string, error) {
	return Link{}, "", errUnwritten
}

// ListLinks returns the links of a file, the newest first, expired and revoked ones too. page has no Count. CodeNotFound if
// there is no file with that id.
func (f *Files) ListLinks(ctx context.Context, fileID string, page PageRequest) (Page[Link], error) {
	return Page[Link]{}, errUnwritten
}

// RevokeLink ends a link. One that is revoked already stays so. CodeNotFound if the file has no such link.
func (f *Files) RevokeLink(ctx context.Context, token, fileID, linkID string) error {
	return errUnwritten
}

// SweepReport counts what Sweep has done.
type SweepReport struct {
	Expired int   // files that were past their time and are deleted now
	Removed int   // deleted files whose bytes are gone now
	Uploads int   // abandoned uploads that left nothing
	Failed  int   // files and uploads whose bytes could not be removed: the next sweep tries again
	Err     error // the first of these failures
}

// Sweep deletes expired files and removes the bytes of deleted files and abandoned uploads.
func (f *Files) Sweep(ctx context.Context) (SweepReport, error) { return SweepReport{}, errUnwritten }

// FsckFinding is one disagreement of the rows with the bytes.
type FsckFinding struct {
	ID     string // of the file; what its path ends with if there is no file
	Path   string
	Size   int64  // of the bytes; 0 if there are none
	Detail string // what is wrong
}

// FsckReport is what Fsck has found.
type FsckReport struct {
	Missing  []FsckFinding // files without their bytes
	Orphaned []FsckFinding // bytes without a file
	Damaged  []FsckFinding // files whose bytes are not those that were stored
	Outside  []FsckFinding // files whose path lies in no store that is configured; nothing repairs them
	Repaired int           // of the findings
	Files    int64         // how many files were looked at
	Bytes    int64         // how many bytes were read
}

// FsckProgress is how far Fsck has come.
type FsckProgress struct {
	Files   int64 // whose bytes have been compared
	Of      int64 // how many there are, about
	Bytes   int64 // read
	Entries int64 // of the store that have been looked up
}

// Fsck compares the files with the bytes in the store, and repairs if that is wanted. progress may be nil.
func (f *Files) Fsck(ctx context.Context, repair bool, progress func(FsckProgress)) (FsckReport, error) {
	return FsckReport{}, errUnwritten
}

var errUnwritten = &Error{Code: CodeInternal, Message: "not written yet"}
